import gzip
import hashlib
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from starlette.testclient import TestClient

from ingest.errors import Unavailable
from ingest.gateway.http_app import HttpApp, Limits
from ingest.gateway.keys import Key, Keyring
from ingest.gateway.limits import Budget
from ingest.gateway.metrics_page import metrics_page
from ingest.gateway.stats import METRICS, Readings, Stats

EVENT = b'{"service":"shop","model":"m"}'


class Sink:
    def __init__(self):
        self.published = []
        self.error = None
        self.too_large = []

    async def publish(self, events):
        if self.error:
            raise self.error
        self.published += [event.value for event in events]
        return self.too_large


class Serving:
    def __init__(self, *keys):
        self.sink = Sink()
        self.stats = Stats()
        self.budget = Budget(100_000)
        self.missing = None
        self.app = HttpApp(
            sink=self.sink,
            keyring=Keyring(keys, lambda: 0.0, lambda: datetime(2026, 12, 1, tzinfo=UTC))
            if keys
            else None,
            budget=self.budget,
            limits=Limits(
                max_body_bytes=10_000, max_event_bytes=1_000, max_items=100, read_timeout_s=5.0
            ),
            stats=self.stats,
            metrics=metrics_page(lambda: Readings(self.stats, self.budget.used_bytes)),
            standing=lambda: self.missing,
        )
        self.client = TestClient(self.app.application())

    def post(self, body, content_type="application/json", **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(
            "/v1/events", content=body, headers={"content-type": content_type, **named}
        )


@pytest.fixture
def serving():
    return Serving()


def key(**more):
    return Key("a", hashlib.sha256(b"secret").hexdigest(), **more)


def test_one_event_is_published_as_it_came(serving):
    answer = serving.post(EVENT)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1})
    assert serving.sink.published == [EVENT]
    assert serving.stats.accepted["http"] == 1


def test_one_bad_event_of_a_thousand_is_named_and_the_others_are_taken():
    serving = Serving()
    serving.app._limits = msgspec.structs.replace(
        serving.app._limits, max_items=1_000, max_body_bytes=40_000
    )
    lines = [EVENT] * 1_000
    lines[417] = b'{"model":'
    answer = serving.post(b"\n".join(lines), "application/x-ndjson")
    assert answer.status_code == 207
    assert answer.json()["accepted"] == 999
    assert [(e["index"], e["reason"]) for e in answer.json()["errors"]] == [(417, "invalid_json")]
    assert len(serving.sink.published) == 999


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"", 400, "empty"),
        (b"null", 400, "not_object"),
        (b'"x"', 400, "not_object"),
        (b'{"a":', 400, "invalid_json"),
        (b'{"a":1}{"b":2}', 400, "invalid_json"),
        (b'{"a":"\xff"}', 400, "invalid_utf8"),
        (b"\xef\xbb\xbf{}", 400, "invalid_json"),
        (b'{"a":NaN}', 400, "invalid_json"),
        (b'{"a":"' + b"x" * 1_000 + b'"}', 413, "too_large"),
        (b" " * 10_001, 413, "body_too_large"),
        (b"[" + b",".join([b"{}"] * 101) + b"]", 413, "too_many_events"),
    ],
)
def test_what_is_no_event_is_refused_with_a_reason_and_nothing_is_published(
    serving, body, status, reason
):
    answer = serving.post(body)
    assert answer.status_code == status
    found = answer.json()
    named = found["error"]["reason"] if "error" in found else found["errors"][0]["reason"]
    assert named == reason
    assert serving.sink.published == []
    assert serving.stats.refused[named] >= 1
    assert serving.budget.used_bytes == 0


def test_a_compressed_body_is_read(serving):
    assert serving.post(gzip.compress(EVENT), content_encoding="gzip").status_code == 202
    assert serving.sink.published == [EVENT]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": "Basic secret"},
        {"authorization": "Bearer secret", "x_api_key": "secret"},
        {"x_api_key": ""},
    ],
)
def test_without_a_valid_key_nothing_is_read(headers):
    serving = Serving(key())
    assert serving.post(EVENT, **headers).status_code == 401
    assert serving.sink.published == []


def test_a_key_in_the_address_is_no_key():
    serving = Serving(key())
    answer = serving.client.post("/v1/events?api_key=secret&key=secret", content=EVENT)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer secret"},
        {"authorization": "bearer  secret"},
        {"x_api_key": "secret"},
    ],
)
def test_a_valid_key_opens(headers):
    assert Serving(key()).post(EVENT, **headers).status_code == 202


def test_an_expired_key_is_none():
    expired = key(expires=datetime(2026, 12, 1, tzinfo=UTC).date())
    assert Serving(expired).post(EVENT, x_api_key="secret").status_code == 401


def test_a_key_writes_for_its_services_only_whatever_name_they_are_sent_under():
    serving = Serving(key(services=("shop",)))
    lines = [
        EVENT,
        b'{"service":"other"}',
        b'{"model":"m"}',
        b'{"message":"{\\"service\\":\\"shop\\",\\"model\\":\\"m\\"}"}',
    ]
    answer = serving.post(b"\n".join(lines), "application/x-ndjson", x_api_key="secret")
    assert answer.status_code == 207
    assert [(e["index"], e["reason"]) for e in answer.json()["errors"]] == [
        (1, "forbidden"),
        (2, "forbidden"),
    ]
    assert serving.post(b'{"service":"other"}', x_api_key="secret").status_code == 403


def test_a_key_that_has_sent_too_much_is_told_when_to_come_back():
    serving = Serving(key(events_per_s=1))
    assert (
        serving.post(b"[" + b",".join([EVENT] * 10) + b"]", x_api_key="secret").status_code == 202
    )
    answer = serving.post(EVENT, x_api_key="secret")
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "1"
    assert len(serving.sink.published) == 10


def test_kafka_that_does_not_take_it_is_503_and_nothing_stays_reserved(serving):
    serving.sink.error = Unavailable("Kafka has not confirmed it in time")
    answer = serving.post(EVENT)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert serving.budget.used_bytes == 0
    assert serving.stats.accepted["http"] == 0


def test_a_full_buffer_is_503_before_anything_is_kept(serving):
    serving.budget.take(100_000)
    assert serving.post(EVENT).status_code == 503
    assert serving.budget.used_bytes == 100_000


def test_what_the_topic_does_not_take_is_named(serving):
    serving.sink.too_large = [0]
    answer = serving.post(b"[" + EVENT + b"," + EVENT + b"]")
    assert (answer.status_code, answer.json()["errors"][0]["index"]) == (207, 0)


def test_pages_about_itself(serving):
    assert serving.client.get("/healthz").status_code == 200
    serving.missing = "Kafka has not answered yet"
    assert serving.client.get("/healthz").status_code == 503
    serving.post(EVENT)
    page = serving.client.get("/metrics").text
    for metric in METRICS:
        assert metric.name.removesuffix("_total") in page
    assert 'ingest_gateway_events_accepted_total{door="http",role="gateway"} 1.0' in page


def test_the_interface_is_described(serving):
    found = serving.client.get("/openapi.json").json()
    assert set(found["paths"]) == {route.path for route in serving.client.app.routes}
    assert set(found["paths"]["/v1/events"]["post"]["responses"]) >= {"202", "207", "429", "503"}


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/v1/events", 405), ("POST", "/other", 404)]
)
def test_other_methods_and_paths_are_refused(serving, method, path, status):
    assert serving.client.request(method, path).status_code == status


def test_every_metric_is_explained_in_the_documentation():
    page = (Path(__file__).parents[3] / "docs" / "gateway.md").read_text()
    for metric in METRICS:
        label = f"{{{metric.label}}}" if metric.label else ""
        assert f"| `{metric.name}{label}` | {metric.kind} | {metric.meaning} |" in page
