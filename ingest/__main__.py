"""`python -m ingest` is the command `ingest`."""

from ingest.cli import main

raise SystemExit(main())
