import json
import logging
import logging.config

import pytest

from ingest.client import BufferFull, LogClient, LogHandler


@pytest.fixture
def logger(transport):
    """A logger of our own whose records become events; closed, and so sent, by `sent`."""
    client = LogClient(transport=lambda: transport)
    handler = LogHandler(client)
    logger = logging.getLogger("tests.requests")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    yield logger
    logger.removeHandler(handler)
    client.close(0)


def sent(logger, transport):
    logger.handlers[0].client.close(10)
    return [json.loads(value) for value in transport.values]


def test_the_fields_of_extra_are_the_event(logger, transport):
    logger.info("%s done", "call", extra={"model": "m", "status_code": 200, "service": "chat"})
    (event,) = sent(logger, transport)
    assert event.pop("@timestamp").endswith("Z")
    assert event.pop("request_id")
    assert event == {
        "message": "call done",
        "level": "info",
        "logger": "tests.requests",
        "model": "m",
        "status_code": 200,
        "service": "chat",
    }


def test_a_time_in_extra_wins_over_the_records(logger, transport):
    logger.info("x", extra={"ts": 1})
    (event,) = sent(logger, transport)
    assert event["ts"] == 1
    assert "@timestamp" not in event


def test_an_exception_becomes_the_error(logger, transport):
    error = TimeoutError("no answer")
    logger.error("call failed", exc_info=error, extra={"status_code": 0})
    (event,) = sent(logger, transport)
    assert event["error"] == {"type": "TimeoutError", "message": "no answer"}


def test_an_error_in_extra_wins_over_the_exception(logger, transport):
    logger.error("x", exc_info=ValueError("theirs"), extra={"error": "mine"})
    assert sent(logger, transport)[0]["error"] == "mine"


@pytest.mark.parametrize("name", ["kafka.conn", "ingest.client"])
def test_what_the_client_itself_logs_is_not_sent(logger, transport, name):
    logger.handlers[0].handle(logging.makeLogRecord({"name": name, "msg": "x"}))
    assert sent(logger, transport) == []


def test_a_logger_that_is_only_named_alike_is_sent(logger, transport):
    logger.handlers[0].handle(logging.makeLogRecord({"name": "kafkaesque", "msg": "x"}))
    assert len(sent(logger, transport)) == 1


def test_a_message_that_cannot_be_formatted_is_sent_as_it_is(logger, transport):
    odd = {"name": "app", "msg": "%d tokens", "args": ("many",), "model": "m"}
    logger.handlers[0].handle(logging.makeLogRecord(odd))
    (event,) = sent(logger, transport)
    assert (event["message"], event["model"]) == ("%d tokens", "m")


def test_a_full_buffer_raises_only_where_the_client_was_told_so(transport):
    transport.gate.clear()
    client = LogClient(transport=lambda: transport, max_events=1, linger_s=0, when_full="raise")
    handler = LogHandler(client)
    record = logging.makeLogRecord({"name": "app", "msg": "x"})
    handler.handle(record)
    transport.called.wait()
    handler.handle(record)
    with pytest.raises(BufferFull):
        handler.handle(record)
    transport.gate.set()
    client.close(10)


def test_logging_config_makes_one_that_closes_its_own_client(transport):
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {
                "events": {
                    "class": "ingest.client.LogHandler",
                    "transport": lambda: transport,
                    "defaults": {"service": "chat"},
                }
            },
            "loggers": {"tests.handler": {"handlers": ["events"], "level": "INFO"}},
        }
    )
    logger = logging.getLogger("tests.handler")
    logger.info("x")
    (handler,) = logger.handlers
    handler.close()
    logger.removeHandler(handler)
    assert json.loads(transport.values[0])["service"] == "chat"
