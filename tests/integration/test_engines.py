"""The engines themselves."""

from ingest.engines import status


def test_both_engines_answer(engines):
    assert [(s.name, s.running, s.answers) for s in status(engines.config)] == [
        ("kafka", True, True),
        ("elasticsearch", True, True),
    ]
