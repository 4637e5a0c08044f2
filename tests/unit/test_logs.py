import json
import logging
import os
import re
import warnings

import pytest

from ingest import logs
from ingest.logs import event, printable


@pytest.fixture(autouse=True)
def restored():
    """Leave logging as it was."""
    names = [None, *logs.OWN]
    before = [(logging.getLogger(name), logging.getLogger(name).level) for name in names]
    yield
    root = logging.getLogger()
    for handler in [h for h in root.handlers if isinstance(h, logs.StderrHandler)]:
        root.removeHandler(handler)
    for logger, level in before:
        logger.setLevel(level)
    logging.captureWarnings(capture=False)


@pytest.fixture
def own():
    return logging.getLogger("ingest.test")


@pytest.fixture
def foreign():
    return logging.getLogger("aiokafka.test")


def raised(text):
    with pytest.raises(ValueError) as caught:
        raise ValueError(text)
    return caught.value


def lines(capfd):
    return capfd.readouterr().err.splitlines()


def objects(capfd):
    return [json.loads(line) for line in lines(capfd)]


def test_an_event_is_one_json_object_with_its_context_and_fields(capfd, own):
    logs.configure("json", role="index", replica=3)
    event(own, logging.WARNING, "paused", cause="auth", batches=2, rate=1.5, names=["a", "b"])
    (line,) = objects(capfd)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("ts"))
    assert line == {
        "level": "warning",
        "logger": "ingest.test",
        "event": "paused",
        "role": "index",
        "replica": 3,
        "cause": "auth",
        "batches": 2,
        "rate": 1.5,
        "names": ["a", "b"],
    }


def test_text_is_for_people(capfd, own):
    logs.configure("text", role="enrich", replica=0)
    event(own, logging.INFO, "started", topic="raw", note='two "words"', empty="", n=3, ok=True)
    (line,) = lines(capfd)
    assert re.fullmatch(
        r"\S+Z INFO    \[enrich/0\] ingest\.test started topic=raw "
        r'note="two \\"words\\"" empty="" n=3 ok=true',
        line,
    )


def test_without_a_role_none_is_shown(capfd, own):
    logs.configure("text")
    event(own, logging.INFO, "started")
    (line,) = lines(capfd)
    assert line.endswith("INFO    ingest.test started")


def test_fields_cannot_pass_for_the_head_of_a_line(capfd, own):
    logs.configure("json", role="index")
    event(own, logging.INFO, "started", level="debug", role="root", ts=0)
    (line,) = objects(capfd)
    assert (line["level"], line["role"]) == ("info", "index")
    assert line["ts"] != 0


@pytest.mark.parametrize("format_", ["text", "json"])
def test_nothing_in_a_value_steers_a_terminal_or_begins_a_line(capfd, own, format_):
    logs.configure(format_)
    event(own, logging.INFO, "seen", name="a\x1b[2J\n2026-01-01 ERROR\x9b\u202e", lone="\ud800")
    (line,) = lines(capfd)
    assert line.isprintable()
    assert "\x1b" not in line


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (None, None),
        (True, True),
        ((1, "b"), [1, "b"]),
        ({1: b"x"}, {"1": "b'x'"}),
        ("x" * 501, "x" * 500 + "…"),
        (["y" * 501], ["y" * 500 + "…"]),
        (2**80, 2**80),
    ],
)
def test_any_value_can_be_logged(capfd, own, value, shown):
    logs.configure("json")
    event(own, logging.INFO, "seen", value=value)
    assert objects(capfd)[0]["value"] == shown


LEVELS = ("debug", "info", "warning", "error")


@pytest.mark.parametrize(
    ("level", "own_levels", "foreign_levels"),
    [
        ("debug", LEVELS, LEVELS[1:]),
        ("info", LEVELS[1:], LEVELS[2:]),
        ("warning", LEVELS[2:], LEVELS[2:]),
        ("error", LEVELS[3:], LEVELS[3:]),
    ],
)
def test_libraries_are_quieter_and_never_log_debug(capfd, level, own_levels, foreign_levels):
    logs.configure("json", level)
    for name in ("ingest.test", "aiokafka.test"):
        logger = logging.getLogger(name)
        for number in map(logging.getLevelNamesMapping().get, map(str.upper, LEVELS)):
            if logger.isEnabledFor(number):
                logger.handle(logger.makeRecord(name, number, "x.py", number, "said", (), None))
    seen = [(line["logger"], line["level"]) for line in objects(capfd)]
    assert seen == [
        *(("ingest.test", one) for one in own_levels),
        *(("aiokafka.test", one) for one in foreign_levels),
    ]


def test_a_library_that_turns_its_own_debugging_on_is_held_back_too(capfd, foreign):
    logs.configure("json", "debug")
    foreign.setLevel(logging.DEBUG)
    foreign.debug("key and value")
    foreign.setLevel(logging.NOTSET)
    assert lines(capfd) == []


def log_twice(foreign, first, then_created):
    """Two records of one place, the second at another time."""
    for moved in (0.0, then_created):
        record = foreign.makeRecord("aiokafka", logging.ERROR, "lib.py", 7, "no %s", ("x",), None)
        record.created = first + moved
        foreign.handle(record)


def test_a_librarys_line_is_repeated_at_most_every_ten_seconds(capfd, foreign):
    logs.configure("json")
    log_twice(foreign, 1_000.0, 9.9)
    assert len(lines(capfd)) == 1
    log_twice(foreign, 1_012.0, 10.1)
    first, second = objects(capfd)
    assert first["suppressed"] == 1
    assert "suppressed" not in second


def test_a_clock_set_back_does_not_silence_a_library(capfd, foreign):
    logs.configure("json")
    log_twice(foreign, 1_000.0, -500.0)
    assert len(lines(capfd)) == 2


def test_our_own_lines_are_never_held_back(capfd, own):
    logs.configure("json")
    for _ in range(5):
        event(own, logging.INFO, "same")
    assert len(lines(capfd)) == 5


def test_a_librarys_message_is_shown_with_its_arguments(capfd, foreign):
    logs.configure("json")
    foreign.warning("node %s is %d", "a", 3)
    (line,) = objects(capfd)
    assert (line["event"], line["message"]) == ("log", "node a is 3")


def test_a_message_whose_arguments_do_not_fit_is_shown_bare():
    record = logging.LogRecord("aiokafka", logging.ERROR, "x.py", 1, "node %d", ("a",), None)
    line = logs.TextFormatter({}, logging.INFO).format(record)
    assert line.endswith("aiokafka node %d")


def test_an_exception_is_named_and_its_traceback_kept_for_debugging(capfd, own):
    for level in ("info", "debug"):
        logs.configure("json", level)
        own.error("failed", exc_info=raised("what is wrong"))
    short, long = objects(capfd)
    assert short["exception"] == long["exception"] == "ValueError: what is wrong"
    assert "traceback" not in short
    assert "test_logs.py" in long["traceback"]


def test_a_text_traceback_stands_indented_below_its_line(capfd, own):
    logs.configure("text", "debug")
    own.error("failed", exc_info=raised("a\nb\x1b"))
    first, *below = lines(capfd)
    assert "failed" in first
    assert len(below) >= 3
    assert all(line.startswith("  | ") and line.isprintable() for line in below)


def test_a_second_configuration_replaces_the_first(capfd, own):
    logs.configure("json")
    logs.configure("json", role="index")
    event(own, logging.INFO, "once")
    (line,) = objects(capfd)
    assert line["role"] == "index"


def test_warnings_of_python_are_lines_too(capfd):
    logs.configure("json")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    (line,) = objects(capfd)
    assert line["logger"] == "py.warnings"


def test_a_closed_stderr_loses_the_line_and_nothing_else(own):
    saved = os.dup(2)
    logs.configure("json")
    try:
        os.close(2)
        event(own, logging.ERROR, "lost")
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def test_a_process_without_stderr_writes_to_nobody(capfd, own, monkeypatch):
    monkeypatch.setattr("sys.stderr", None)
    logs.configure("json")
    event(own, logging.ERROR, "lost")
    assert lines(capfd) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ä 漢", "plain ä 漢"),
        ("a\nb", "a\\nb"),
        ("\x1b[0m", "\\x1b[0m"),
        ("\x9b", "\\x9b"),
        ("\u202e", "\\u202e"),
        ("", ""),
    ],
)
def test_printable_escapes_what_a_terminal_would_obey(text, shown):
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("name", "foreign"),
    [("ingest.worker", False), ("schemas", False), ("ingestion", True), ("aiokafka", True)],
)
def test_whose_a_logger_is(name, foreign):
    assert logs.is_foreign(name) is foreign
