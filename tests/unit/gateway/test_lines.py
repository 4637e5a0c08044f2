import pytest

from ingest.gateway.lines import Lines, events_of, is_text


def test_lines_are_cut_however_they_arrive():
    lines = Lines(100)
    assert lines.feed(b'{"a":1}\n{"b"') == [b'{"a":1}']
    assert lines.begun
    assert lines.feed(b":2") == []
    assert lines.feed(b"}\n") == [b'{"b":2}']
    assert not lines.begun


def test_ends_of_windows_and_blank_lines_are_left_out():
    assert Lines(100).feed(b"1\r\n\n \r\n2\r\n") == [b"1", b"2"]


def test_a_line_may_be_as_long_as_the_limit():
    for end in (b"\n", b"\r\n"):
        lines = Lines(5)
        assert lines.feed(b"12345" + end) == [b"12345"]
        assert not lines.too_long


def test_a_line_that_waits_for_its_end_may_be_as_long_too():
    lines = Lines(5)
    lines.feed(b"12345\r")
    assert not lines.too_long
    assert lines.feed(b"\n") == [b"12345"]


@pytest.mark.parametrize("received", [[b"1\n2\n123456\n3\n"], [b"1\n2\n12345", b"6", b"\n3\n"]])
def test_of_a_longer_one_and_what_follows_nothing_is_returned(received):
    lines = Lines(5)
    found = []
    for part in received:
        if not lines.too_long:
            found += lines.feed(part)
    assert (found, lines.too_long) == ([b"1", b"2"], True)


def test_a_line_without_end_is_noticed_before_it_ends():
    lines = Lines(5)
    assert lines.feed(b"123456") == []
    assert lines.too_long


@pytest.mark.parametrize(
    ("line", "events"),
    [
        (b'{"a":1}', [b'{"a":1}']),
        (b' [{"a":1}, {"b": 2} ,3]', [b'{"a":1}', b'{"b": 2}', b"3"]),
        (b"[]", [b"[]"]),
        (b'[{"a":1}', [b'[{"a":1}']),
        (b"[" * 100_000, [b"[" * 100_000]),
        (b"[\xff]", [b"[\xff]"]),
        (b"api_request", [b"api_request"]),
    ],
)
def test_an_array_holds_events_and_nothing_else_is_changed(line, events):
    assert events_of(line) == events


def test_lines_without_fields_are_known():
    assert is_text(b"api_request")
    assert not is_text(b' {"a":1}')
    assert not is_text(b"[]")
