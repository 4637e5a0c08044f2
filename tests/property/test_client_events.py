from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from ingest.client.events import build
from ingest.core.keys import key_reader

NOW = datetime(2026, 1, 31, 9, tzinfo=UTC)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10)


@given(st.dictionaries(st.sampled_from(["session_id", "request_id", "model"]), SCALARS))
def test_the_clients_key_is_the_one_the_pipeline_would_read(fields):
    event = build(fields, {}, NOW)
    assert event.key == key_reader()(event.value)
