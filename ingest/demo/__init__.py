"""The demo's input: a real trace, and by a seeded rule what the trace does not tell.

Pure: the same rows, seed and end always make the same events. `docs/demo.md` says which fields
are real and which are made.
"""
