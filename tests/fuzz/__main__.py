"""Fuzz the decoders and both paths of enrichment with atheris: `python -m tests.fuzz --help`.

What breaks a target is printed in base64, with the traceback. It becomes a case in `cases.py`.
"""

import argparse
import base64
import sys
import tempfile
from pathlib import Path

import atheris

from tests.fuzz.targets import TARGETS

MAX_BYTES = 400


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--corpus", type=Path, help="folder to keep what leads to new code")
    args = parser.parse_args()
    target = TARGETS[args.target]

    def tried(data: bytes) -> None:
        try:
            target(data)
        except BaseException:
            print(args.target, base64.b64encode(data).decode(), file=sys.stderr)
            raise

    corpus = args.corpus or Path(tempfile.mkdtemp(prefix="fuzz-"))
    corpus.mkdir(parents=True, exist_ok=True)
    options = [f"-max_total_time={args.seconds}", f"-max_len={MAX_BYTES}", "-print_final_stats=1"]
    atheris.instrument_all()
    atheris.Setup([sys.argv[0], str(corpus), f"-artifact_prefix={corpus}/", *options], tried)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
