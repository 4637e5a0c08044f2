"""How Faust is set up: by us, and by nothing it finds lying around."""

import faust
import pytest
from faust.types import TP

from ingest.adapters.connections import KafkaConnection
from ingest.adapters.worker.application import Membership, make_app
from ingest.adapters.worker.consumer import Consumer
from ingest.adapters.worker.watchdog import Limits, Watchdog
from ingest.pipeline.health import Health
from ingest.pipeline.intake import Intake
from ingest.pipeline.stats import Stats
from tests.support.fakes import FakeClock

MEMBER = Membership(
    group="g-enrich",
    instance="host-enrich-0",
    client_id="host-enrich-0.1",
    topic="raw",
    poll_bytes=3_000_000,
    session_timeout_s=8,
)
ELSEWHERE = {
    "BROKER_URL": "kafka://elsewhere:9092",
    "CONSUMER_AUTO_OFFSET_RESET": "latest",
    "STREAM_WAIT_EMPTY": "yes",
    "APP_WEB_ENABLED": "yes",
    "APP_KEY_SERIALIZER": "pickle",
    "APP_VALUE_SERIALIZER": "pickle",
}


async def never(*_args):
    raise AssertionError


@pytest.fixture
async def app():
    intake = Intake(
        handle=never,
        fail=never,
        clock=FakeClock(),
        in_flight=8,
        max_batch_events=1_000,
        max_batch_bytes=1_000,
    )
    return make_app(
        KafkaConnection(("127.0.0.1:9092",)),
        MEMBER,
        make=None,
        find=None,
        intake=intake,
        stats=Stats(),
        health=Health(),
        watchdog=Watchdog(Limits(60, 300)),
        drain_s=10,
        close=never,
        successor=lambda: None,
    )


@pytest.fixture
def elsewhere(monkeypatch):
    for name, value in ELSEWHERE.items():
        monkeypatch.setenv(name, value)


async def test_variables_meant_for_faust_change_nothing(elsewhere, app):
    conf = app.conf
    assert [str(url) for url in conf.broker] == ["kafka://127.0.0.1:9092"]
    assert conf.consumer_auto_offset_reset == "earliest"
    assert not conf.stream_wait_empty


async def test_faust_serves_no_web_pages(elsewhere, app):
    assert not app.conf.web_enabled


async def test_faust_decodes_nothing(elsewhere, app):
    assert (app.conf.key_serializer, app.conf.value_serializer) == ("raw", "raw")
    (agent,) = app.agents.values()
    codec = agent.channel.value_serializer
    assert isinstance(codec, faust.Codec)
    assert codec.loads(b"\x80\x04.") == b"\x80\x04."


class StoodStill:
    """A consumer whose partition has not moved, as Faust's own check sees it."""

    should_stop = False

    def __init__(self):
        self.looked_at = []

    def assignment(self):
        return {TP("raw", 0)}

    async def sleep(self, _seconds):
        pass

    def verify_event_path(self, _now, tp):
        self.looked_at.append(tp)


async def test_faust_guesses_nothing_about_what_stands_still():
    """It sees none of our commits: five minutes of backlog, or of a sink down, look stuck to it."""
    consumer = StoodStill()
    await Consumer.verify_all_partitions_active(consumer)
    assert not consumer.looked_at
