"""Streams of frames that a Beat might send, cut anywhere."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.gateway.lumberjack import Decoder, Event, Window, Windows, ack
from tests.fuzz.targets import beats, frames_in
from tests.support.lumberjack import compressed, json_event, pairs_event, window

texts = st.binary(max_size=30)
numbers = st.integers(0, 2**32 - 1)
versions = st.sampled_from([b"1", b"2"])
plain = st.one_of(
    st.builds(window, numbers, versions),
    st.builds(json_event, numbers, texts, versions),
    st.builds(pairs_event, numbers, st.lists(st.tuples(texts, texts), max_size=3), versions),
)
frames = st.one_of(plain, st.builds(lambda inner: compressed(b"".join(inner)), st.lists(plain)))


@given(st.lists(frames), st.lists(st.integers(1, 20)))
def test_frames_are_the_same_however_their_bytes_are_cut(sent, sizes):
    received = b"".join(sent)
    pieces, at = [], 0
    for size in [*sizes, len(received)]:
        pieces.append(received[at : at + size])
        at += size
    assert frames_in(pieces) == frames_in([received])


@given(st.lists(frames, min_size=1), st.data())
def test_one_wrong_byte_is_a_protocol_error_or_another_frame(sent, data):
    received = bytearray(b"".join(sent))
    place = data.draw(st.integers(0, len(received) - 1))
    received[place] = data.draw(st.integers(0, 255))
    beats(bytes([data.draw(st.integers(0, 255))]) + received)


@given(st.lists(st.lists(texts, min_size=1, max_size=5), max_size=5), numbers)
def test_every_window_is_read_back_and_answered_with_its_last_number(batches, first):
    sent, expected, answers = b"", [], []
    for batch in batches:
        sequence = [(first + place) % 2**32 for place in range(len(batch))]
        events = b"".join(map(json_event, sequence, batch))
        sent += window(len(batch)) + compressed(events)
        expected += [Window(b"2", len(batch))]
        expected += [
            Event(b"2", number, text) for number, text in zip(sequence, batch, strict=True)
        ]
        answers.append(ack(b"2", sequence[-1]))
    found = list(Decoder(100).feed(sent))
    assert found == expected
    windows = Windows()
    assert [answer for frame in found if (answer := windows.take(frame))] == answers
