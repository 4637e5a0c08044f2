from datetime import UTC, datetime, timedelta

import pytest

from ingest.errors import Refused, Unauthorized
from ingest.pipeline.findings import Certificate, Finding, certificates, clock, failure

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "state"), [(-400, "failed"), (-1, "failed"), (29, "warning"), (31, "ok"), (900, "ok")]
)
def test_a_certificate_is_told_before_it_expires(days, state):
    found = certificates("Kafka", [Certificate("b:1", NOW + timedelta(days=days))], NOW)
    (finding,) = found
    assert (finding.area, finding.state) == ("Kafka", state)
    assert "b:1" in finding.what
    assert bool(finding.remedy) is (state != "ok")


@pytest.mark.parametrize(
    ("ahead_s", "state", "words"),
    [
        (0.0, "ok", "agrees"),
        (-4.9, "ok", "agrees"),
        (5.1, "warning", "5 s ahead of"),
        (-3_600.0, "warning", "3,600 s behind"),
    ],
)
def test_clocks_that_differ_are_told(ahead_s, state, words):
    (finding,) = clock("Elasticsearch", ahead_s)
    assert finding.state == state
    assert words in finding.what


def test_a_clock_that_nobody_knows_is_not_judged():
    assert list(clock("Kafka", None)) == []


def test_an_error_is_a_failure_in_its_own_words():
    assert failure("Kafka", Refused("no; do this")) == Finding("Kafka", "failed", "no; do this")


def test_a_refused_log_in_has_a_remedy():
    assert failure("Elasticsearch", Unauthorized("401")).remedy
