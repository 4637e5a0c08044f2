import json
import threading

import pytest

from ingest.client import LogClient
from ingest.client.events import Event
from ingest.client.http import HttpTransport, Reply, read
from ingest.engines import free_port
from ingest.errors import Unavailable, UsageError
from tests.support import http_server
from tests.support.http_server import serving
from tests.support.impostor import impostor

EVENTS = [Event(b'{"n":%d}' % number, None) for number in range(4)]


def accepted(request):
    return http_server.Reply(202, b'{"accepted":1}')


def transport_to(url, key=None):
    return HttpTransport(url, lambda: key)


def test_a_batch_is_one_request_of_lines():
    with serving(accepted) as server:
        transport = transport_to(server.url, "k-1")
        answer = transport.send(EVENTS)
        transport.close()
    (request,) = server.requests
    assert request.path == "/v1/events"
    assert request.body.split(b"\n") == [event.value for event in EVENTS]
    assert request.headers["Authorization"] == "Bearer k-1"
    assert request.headers["Content-Type"] == "application/x-ndjson"
    assert not answer.again
    assert not answer.refused


def test_without_a_key_none_is_sent():
    with serving(accepted) as server:
        transport = transport_to(server.url)
        transport.send(EVENTS)
        transport.close()
    assert "Authorization" not in server.requests[0].headers


def test_events_that_the_reply_names_are_refused_and_the_others_confirmed():
    errors = [{"index": 1, "reason": "not_object"}, {"index": 3, "reason": "too_large"}]
    answer = read(Reply(207, None, {"errors": errors}), EVENTS, [EVENTS[1], EVENTS[3]], "gate")
    assert (answer.refused, answer.again) == ([EVENTS[1], EVENTS[3]], ())
    assert answer.why == "gate answered 207: not_object, too_large"


def test_a_partial_refusal_is_read_from_the_body():
    body = json.dumps({"accepted": 3, "errors": [{"index": 2, "reason": "invalid_json"}]}).encode()
    with serving(lambda request: http_server.Reply(207, body)) as server:
        transport = transport_to(server.url)
        assert transport.send(EVENTS).refused == [EVENTS[2]]
        transport.close()


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 502, 503, 301])
def test_what_may_be_put_right_is_sent_again(status):
    answer = read(Reply(status, None, None), EVENTS, None, "gate")
    assert answer.again == EVENTS
    assert not answer.refused
    assert str(status) in answer.why


@pytest.mark.parametrize(("text", "seconds"), [("7", 7.0), (None, None), ("soon", None)])
def test_the_time_to_wait_is_what_the_gateway_says(text, seconds):
    assert read(Reply(429, text, None), EVENTS, None, "gate").retry_after_s == seconds


def test_too_much_is_sent_in_parts_until_only_the_one_too_large_is_refused():
    def respond(request):
        return http_server.Reply(413 if b'{"n":2}' in request.body else 202)

    with serving(respond) as server:
        transport = transport_to(server.url)
        answer = transport.send(EVENTS)
        transport.close()
    assert answer.refused == [EVENTS[2]]
    assert not answer.again


def test_a_kept_connection_that_ended_is_made_anew_without_ado():
    replies = iter([{"headers": {"Connection": "close"}}, {}, {"cut": True}, {}])
    with serving(lambda request: http_server.Reply(202, **next(replies))) as server:
        transport = transport_to(server.url)
        for _ in range(3):
            assert not transport.send(EVENTS).again
        transport.close()
    assert len(server.requests) == 4


def test_no_answer_says_nothing_of_the_events():
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:\d+ does not answer"):
        transport_to(f"http://127.0.0.1:{free_port()}").send(EVENTS)


def test_the_end_of_a_client_does_not_wait_for_an_answer():
    asked, go_on = threading.Event(), threading.Event()

    def respond(request):
        asked.set()
        go_on.wait()
        return http_server.Reply()

    before = threading.active_count()
    with serving(respond) as server:
        client = LogClient(url=server.url, linger_s=0)
        client.log({})
        asked.wait()
        assert client.close(0).dropped_by == {"unsent": 1}
        names = [thread.name for thread in threading.enumerate()]
        assert not [name for name in names if name.startswith("ingest-client")]
        go_on.set()
    assert threading.active_count() <= before + 1


def test_a_refused_key_is_told_and_the_events_are_kept(caplog):
    statuses = iter([401, 202])
    with (
        serving(lambda request: http_server.Reply(next(statuses))) as server,
        LogClient(url=server.url, api_key=lambda: "s3cret") as client,
    ):
        client.log({})
        assert client.flush(10)
    assert client.confirmed == 1
    assert "check the api_key" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_certificate_of_another_host_is_not_accepted(tmp_path):
    with impostor(tmp_path, name="127.0.0.2") as server:
        transport = HttpTransport(
            f"https://{server.address}", lambda: "s3cret", str(server.ca_file)
        )
        with pytest.raises(Unavailable, match="certificate is not valid"):
            transport.send(EVENTS)
        transport.close()


@pytest.mark.parametrize("url", ["gate:8080", "ftp://gate", "http://", "http://gate:x", ""])
def test_urls_that_cannot_be_are_told_at_once(url):
    with pytest.raises(UsageError, match="url"):
        LogClient(url=url)


@pytest.mark.parametrize("ending", ["", "/", "/v1/events", "/v1/events/"])
def test_the_path_may_be_left_out(ending):
    with serving(accepted) as server:
        transport = transport_to(server.url + ending)
        transport.send(EVENTS)
        transport.close()
    assert server.requests[0].path == "/v1/events"
