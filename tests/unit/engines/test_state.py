import pytest

from ingest.engines.processes import ProcessId
from ingest.engines.state import EngineState, State, current_state, read_state, write_state
from ingest.errors import EngineError

KAFKA = EngineState(port=9092, processes=(ProcessId(7, 1.5), ProcessId(8, 2.5)))


@pytest.fixture(autouse=True)
def folder(config):
    config.data_dir.mkdir()


def test_what_was_written_is_read_again(config):
    state = State(secure=True).with_engine("kafka", KAFKA)
    write_state(config, state)
    assert read_state(config) == state
    assert current_state(config).processes("kafka") == KAFKA.processes


def test_nothing_is_known_of_a_new_folder(config):
    assert read_state(config) is None
    assert current_state(config) == State(secure=False)
    assert current_state(config).processes("elasticsearch") == ()


def test_an_ended_engine_is_forgotten_and_the_kind_of_its_data_is_not():
    assert State(secure=True, engines={"kafka": KAFKA}).without("kafka") == State(secure=True)


@pytest.mark.parametrize("content", ["", "{", '{"secure": 1}', '{"secure":true,"engines":[]}'])
def test_a_damaged_file_is_an_error_with_its_name(config, content):
    config.state_file.write_text(content)
    with pytest.raises(EngineError, match=r"state\.json is damaged"):
        read_state(config)
