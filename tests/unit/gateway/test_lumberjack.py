import json

import pytest

from ingest.gateway.lumberjack import (
    MAX_WINDOW,
    Decoder,
    Event,
    ProtocolError,
    Window,
    Windows,
    ack,
)
from tests.support.lumberjack import (
    batch,
    compressed,
    json_event,
    pairs_event,
    raw_compressed,
    window,
)

LIMIT = 1000


def frames_of(received, limit=LIMIT):
    return list(Decoder(limit).feed(received))


def answers(received):
    windows = Windows()
    return [answer for frame in frames_of(received) if (answer := windows.take(frame))]


def test_a_window_and_its_events_are_read():
    received = window(2) + json_event(1, b'{"a":1}') + json_event(2, b"anything")
    assert frames_of(received) == [
        Window(b"2", 2),
        Event(b"2", 1, b'{"a":1}'),
        Event(b"2", 2, b"anything"),
    ]


def test_compressed_frames_are_read_as_if_they_were_not():
    events = json_event(1, b"{}") + json_event(2, b"[]")
    assert frames_of(compressed(events) + window(3)) == [*frames_of(events), Window(b"2", 3)]


def test_pairs_become_an_object_and_the_line_a_message():
    (event,) = frames_of(pairs_event(7, [(b"line", b'{"model":"m"}'), (b"host", "hé".encode())]))
    assert (event.version, event.sequence) == (b"1", 7)
    assert json.loads(event.text) == {"host": "hé", "message": '{"model":"m"}'}


def test_a_message_that_is_there_is_not_replaced_by_the_line():
    (event,) = frames_of(pairs_event(1, [(b"line", b"7"), (b"message", b"m")]))
    assert json.loads(event.text) == {"line": "7", "message": "m"}


def test_bytes_that_are_no_text_are_kept_as_they_are():
    (event,) = frames_of(pairs_event(1, [(b"line", b"\xff\xfe")]))
    assert event.text == b'{"message": "\xff\xfe"}'


def test_an_event_may_be_as_large_as_the_limit():
    (event,) = frames_of(json_event(1, b"x" * LIMIT))
    assert len(event.text) == LIMIT


def test_a_large_window_may_be_compressed_into_one_frame():
    texts = [b'{"request_id":"%d","model":"gpt"}' % number for number in range(10_000)]
    assert sum(isinstance(frame, Event) for frame in frames_of(batch(texts))) == len(texts)


@pytest.mark.parametrize(
    ("received", "reason"),
    [
        (b"3W\0\0\0\1", "protocol"),
        (b"\x16\x03\x01\x02\x00", "protocol"),
        (b'{"model":"m"}\n', "protocol"),
        (b"2X", "protocol"),
        (b"2A\0\0\0\1", "protocol"),
        (json_event(1, b"x" * (LIMIT + 1)), "too_large"),
        (b"2J\0\0\0\1\xff\xff\xff\xff", "too_large"),
        (pairs_event(1, [(b"line", b"x" * LIMIT)]), "too_large"),
        (pairs_event(1, [(b"", b"")] * LIMIT), "too_large"),
        (compressed(compressed(json_event(1, b"{}"))), "protocol"),
        (compressed(json_event(1, b"{}")[:-1]), "protocol"),
        (compressed(json_event(1, b"{}")[:10]), "protocol"),
        (raw_compressed(b"no zlib"), "protocol"),
        (raw_compressed(b""), "protocol"),
        (compressed(b"2W\0\0\0\1" * 2_000_000), "too_large"),
    ],
)
def test_what_is_wrong_is_refused(received, reason):
    with pytest.raises(ProtocolError) as caught:
        frames_of(received)
    assert caught.value.reason == reason


@pytest.mark.parametrize("tail", [b"", b"more"])
def test_a_compressed_frame_ends_where_its_content_does(tail):
    content = compressed(json_event(1, b"{}"))[6:]
    wrong = content + tail if tail else content[:-1]
    with pytest.raises(ProtocolError):
        frames_of(raw_compressed(wrong))


def test_what_came_before_the_mistake_is_returned():
    found = Decoder(LIMIT).feed(window(1) + b"oops")
    assert next(found) == Window(b"2", 1)
    with pytest.raises(ProtocolError):
        next(found)


@pytest.mark.parametrize("cut", [1, 5, 9, 15])
def test_a_frame_whose_rest_has_not_come_is_known(cut):
    decoder = Decoder(LIMIT)
    whole = compressed(json_event(1, b'{"some":"event"}'))
    assert not decoder.begun
    list(decoder.feed(whole[:cut]))
    assert decoder.begun
    list(decoder.feed(whole[cut:]))
    assert not decoder.begun


def test_a_window_is_answered_at_its_last_event():
    assert answers(window(2) + json_event(1, b"") + json_event(2, b"")) == [ack(b"2", 2)]
    assert answers(window(2) + json_event(1, b"")) == []


def test_the_size_of_a_window_holds_until_another_is_told():
    events = b"".join(json_event(number, b"") for number in range(1, 5))
    assert answers(window(2) + events) == [ack(b"2", 2), ack(b"2", 4)]


def test_sequences_may_go_on_begin_anew_and_wrap_between_windows():
    one = window(1)
    first, last = json_event(9, b""), json_event(2**32 - 1, b"")
    assert answers(one + first + one + json_event(1, b"")) == [ack(b"2", 9), ack(b"2", 1)]
    assert answers(window(2) + last + json_event(0, b"")) == [ack(b"2", 0)]


def test_the_answer_has_the_version_of_the_event():
    assert answers(window(1, b"1") + json_event(1, b"")) == [ack(b"2", 1)]
    assert answers(window(1) + pairs_event(1, [])) == [b"1A\0\0\0\1"]


def test_an_empty_window_is_answered_at_once():
    assert answers(window(0)) == [ack(b"2", 0)]


@pytest.mark.parametrize(
    ("received", "reason"),
    [
        (json_event(1, b""), "protocol"),
        (window(0) + json_event(1, b""), "protocol"),
        (window(3) + json_event(1, b"") + json_event(3, b""), "sequence"),
        (window(3) + json_event(1, b"") + json_event(1, b""), "sequence"),
        (window(3) + json_event(1, b"") + window(3), "sequence"),
        (window(2**32 - 1), "window"),
        (window(MAX_WINDOW + 1), "window"),
    ],
)
def test_windows_that_cannot_be_are_refused(received, reason):
    with pytest.raises(ProtocolError) as caught:
        answers(received)
    assert caught.value.reason == reason


def test_the_middle_of_a_window_is_known():
    windows = Windows()
    seen = []
    for frame in frames_of(window(2) + json_event(1, b"") + json_event(2, b"")):
        windows.take(frame)
        seen.append(windows.begun)
    assert seen == [False, True, False]
