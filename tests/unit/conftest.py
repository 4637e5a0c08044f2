import logging

import pytest


@pytest.fixture(autouse=True)
def logging_as_before():
    """Undo what `ingest.logs.configure` does, so that no test speaks for the next."""
    loggers = [logging.getLogger(name) for name in (None, "ingest", "schemas")]
    before = [(logger, logger.level, list(logger.handlers)) for logger in loggers]
    yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers
    logging.captureWarnings(capture=False)
