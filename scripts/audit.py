"""Look for known vulnerabilities in the locked requirements (`make audit`), as far as one can ask.

Exit code 1 where there is one. What could not be asked about is told, and no failure.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCKED = Path(__file__).resolve().parent.parent / "requirements" / "run.txt"
ASK_S = 300


def main() -> int:
    try:
        words, found = told(answer())
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        words, found = [f"not audited: no answer from the advisories ({type(error).__name__})"], 0
    print(*words, sep="\n")
    return 1 if found else 0


def answer() -> dict[str, Any]:
    """Ask about each package. Raises ValueError where no answer came."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(LOCKED), "--format", "json"]
    options = ["--require-hashes", "--disable-pip", "--progress-spinner", "off"]
    asked = subprocess.run(  # noqa: S603 - every part of it is ours
        [*command, *options], capture_output=True, timeout=ASK_S, check=False
    )
    found: dict[str, Any] = json.loads(asked.stdout)
    return found


def told(answer: dict[str, Any]) -> tuple[list[str], int]:
    """Say what the answer means, and how many vulnerabilities it names."""
    asked = [package for package in answer["dependencies"] if "skip_reason" not in package]
    left = len(answer["dependencies"]) - len(asked)
    named = [
        f"{package['name']} {package['version']}: {each['id']}, "
        f"fixed in {', '.join(each['fix_versions']) or 'no version'}"
        for package in asked
        for each in package["vulns"]
    ]
    words = [*named, f"{len(asked)} packages audited, {len(named)} vulnerabilities"]
    if left:
        words.append(f"not audited: {left} packages of which the advisories do not know")
    return words, len(named)


if __name__ == "__main__":
    sys.exit(main())
