"""Ends the engines of a test session when that session ends, however it ends.

It holds one end of a pipe; the session holds the other, and the system closes it even for a
session that was killed.
"""

import shutil
import sys
from pathlib import Path

from ingest.engines import EngineConfig, stop


def main() -> None:
    data_dir = Path(sys.argv[1])
    sys.stdin.read()
    stop(EngineConfig(data_dir=data_dir, cache_dir=data_dir))
    shutil.rmtree(data_dir)


if __name__ == "__main__":
    main()
