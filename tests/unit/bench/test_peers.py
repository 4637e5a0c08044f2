"""The peers' rules are ours, for the events of the benchmark."""

import sys

import pytest

from ingest.app import rules_from
from ingest.settings import Settings
from tests.bench.contenders import CONTENDERS, PEERS
from tests.bench.equality import check
from tests.bench.events import Events, until_now


@pytest.fixture
def enrich(monkeypatch):
    monkeypatch.syspath_prepend(str(PEERS))
    yield __import__("rules").enrich
    sys.modules.pop("rules")


def test_what_the_peers_in_python_share_says_what_we_say(enrich):
    events = Events(until_now())
    documents = [enrich(events.fields(number)) for number in range(0, 400_000, 19)]
    assert check(documents, events, rules_from(Settings())) == len(documents)


@pytest.mark.parametrize("contender", CONTENDERS, ids=lambda one: one.name)
def test_each_peer_has_its_program_and_pinned_requirements(contender):
    assert contender.is_ours or (PEERS / contender.program).exists()
    if contender.requirements:
        pinned = (PEERS / f"{contender.requirements}.txt").read_text()
        wanted = (PEERS / f"{contender.requirements}.in").read_text().split()
        names = [line.partition("[")[0].partition("==")[0] for line in wanted]
        assert all(f"\n{name}==" in f"\n{pinned}" for name in names)
        assert pinned.count("==") <= pinned.count("--hash=sha256:")
