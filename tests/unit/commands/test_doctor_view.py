import json

import pytest

from ingest.commands.doctor_view import age, as_json, show
from ingest.pipeline.findings import Finding
from ingest.pipeline.lag import Lag

ROW = Lag("index", "enriched", 1, 1_000, 1_500, 500, 0, oldest_ms=10_000)
GOOD = Finding("Kafka", "ok", "it answers")
BAD = Finding("Elasticsearch", "failed", "no \x1b[2J", "mend it")


def test_each_finding_is_a_line_and_its_remedy_another(capsys):
    show([GOOD, BAD], [ROW], 75_000)
    assert capsys.readouterr().out.splitlines() == [
        "ok       Kafka: it answers",
        "failed   Elasticsearch: no \\x1b[2J",
        "         -> mend it",
        "",
        "role   topic     partition  committed    end  lag  oldest unprocessed",
        "index  enriched          1      1,000  1,500  500               1m 5s",
        "",
        "1 failed.",
    ]


def test_all_is_well_without_a_failure(capsys):
    show([GOOD, Finding("Kafka", "warning", "odd")], [], 0)
    assert capsys.readouterr().out.endswith("\nNothing failed.\n")


def test_json_has_the_same_with_ages_in_seconds():
    body = json.loads(as_json([GOOD, BAD], [ROW, Lag("enrich", "raw", 0, None, 0, 0, 0)], 75_500))
    assert body["healthy"] is False
    assert body["findings"][1] == {
        "area": "Elasticsearch",
        "state": "failed",
        "what": "no \x1b[2J",
        "remedy": "mend it",
    }
    assert [row["oldest_unprocessed_seconds"] for row in body["lag"]] == [65.5, None]
    assert body["lag"][0]["lag"] == 500


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0s"), (59, "59s"), (60, "1m"), (3_661, "1h 1m"), (90_061, "1d 1h"), (86_401, "1d 1s")],
)
def test_an_age_has_two_units(seconds, text):
    assert age(seconds) == text
