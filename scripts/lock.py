"""Pin every requirement, transitively and with hashes, for all platforms (`make lock`)."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SETS = {
    "build": ["--group", "build"],
    "worker": ["--extra", "gateway"],
    "run": ["--extra", "gateway", "--extra", "engines"],
    "dev": ["--extra", "gateway", "--extra", "engines", "--group", "build", "--group", "dev"],
}
COMMON = [
    "--universal",
    "--python-version",
    "3.11",
    "--generate-hashes",
    "--no-header",
    "--no-annotate",
]


def main() -> None:
    for name, choice in SETS.items():
        source = [] if name == "build" else ["pyproject.toml"]
        target = f"requirements/{name}.txt"
        command = [sys.executable, "-m", "uv", "pip", "compile", "-q", *source, *choice, *COMMON]
        command += ["--no-emit-index-url", "-o", target]
        subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 - every part of it is ours
        print(target)


if __name__ == "__main__":
    main()
