"""The write side against a server of our own that gives chosen answers."""

import asyncio
import gzip
import json

import pytest

from ingest.adapters.connections import ElasticsearchConnection
from ingest.adapters.elasticsearch import ElasticsearchCluster
from ingest.errors import Refused, Unauthorized, Unavailable
from ingest.pipeline.ports import Items, Unknown, Whole, Written

JSON = "application/vnd.elasticsearch+json;compatible-with=8"
BODY = b'{"index":{"_index":"i","_id":"1"}}\n{}\n'
REFUSED = {"error": {"type": "security_exception", "reason": "who are you"}, "status": 401}


class Server:
    """Answers HTTP requests with what it was told, in order; remembers what it was asked."""

    def __init__(self):
        self.answers = []
        self.requests = []

    def say(self, status, body, *, type_=JSON, headers=""):
        text = body if isinstance(body, str) else json.dumps(body)
        head = f"HTTP/1.1 {status} X\r\ncontent-type: {type_}\r\ncontent-length: {len(text)}\r\n"
        self.answers.append(f"{head}x-elastic-product: Elasticsearch\r\n{headers}\r\n{text}")

    async def serve(self, reader, writer):
        while head := await reader.readuntil(b"\r\n\r\n"):
            fields = dict(
                line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:] if line
            )
            body = await reader.readexactly(int(fields.get("content-length", 0)))
            self.requests.append((head.decode().split("\r\n")[0], fields, body))
            writer.write(self.answers.pop(0).encode())
            if self.cut:
                writer.close()
                return
            await writer.drain()

    cut = False


@pytest.fixture
async def server():
    server = Server()

    async def serve(reader, writer):
        try:
            await server.serve(reader, writer)
        except asyncio.IncompleteReadError:
            writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    yield server
    listener.close()
    await listener.wait_closed()


@pytest.fixture
def secret():
    return {"password": "first"}


@pytest.fixture
async def cluster(server, secret):
    cluster = ElasticsearchCluster(
        ElasticsearchConnection((server.url,), username="u", password=lambda: secret["password"])
    )
    yield cluster
    await cluster.close()


async def test_the_body_is_sent_as_it_is_but_compressed(server, cluster):
    server.say(200, {"errors": False, "items": [{"index": {"status": 201}}]})
    assert await cluster.bulk(BODY) == Items([{"status": 201}])
    ((line, fields, body),) = server.requests
    assert line.startswith("POST /_bulk?")
    assert "ndjson" in fields["content-type"]
    assert fields["content-encoding"] == "gzip"
    assert gzip.decompress(body) == BODY


def items(*statuses, errors="false"):
    """An answer as Elasticsearch spells it."""
    each = ",".join(f'{{"index":{{"status":{status}}}}}' for status in statuses)
    return f'{{"errors":{errors},"items":[{each}]}}'


async def test_where_all_was_written_the_answer_is_counted(server, cluster):
    server.say(200, items(201, 200, 201))
    assert await cluster.bulk(BODY) == Written(created=2, updated=1)


@pytest.mark.parametrize(
    ("answer", "statuses"),
    [
        (items(201, 409, errors="true"), [201, 409]),
        (items(201, 207), [201, 207]),
        (items(201).replace(":", ": "), [201]),
    ],
)
async def test_any_other_answer_is_read(server, cluster, answer, statuses):
    server.say(200, answer)
    assert await cluster.bulk(BODY) == Items([{"status": status} for status in statuses])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 429, 500, 503])
async def test_an_answer_about_the_whole_is_given_back_once(server, cluster, status):
    server.say(status, {"error": {"type": "t", "reason": "r"}})
    assert await cluster.bulk(BODY) == Whole(status, {"type": "t", "reason": "r"})
    assert len(server.requests) == 1


@pytest.mark.parametrize(("value", "seconds"), [("7", 7.0), ("soon", None), ("²", None)])
async def test_retry_after_is_read(server, cluster, value, seconds):
    server.say(429, {}, headers=f"retry-after: {value}\r\n")
    assert (await cluster.bulk(BODY)).retry_after_s == seconds


@pytest.mark.parametrize("status", [401, 403, 413, 429, 502, 503, 504])
async def test_a_proxys_answer_counts_by_its_status(server, cluster, status):
    server.say(status, "<html>no</html>", type_="text/html")
    reply = await cluster.bulk(BODY)
    assert isinstance(reply, Whole)
    assert reply.status == status


@pytest.mark.parametrize("status", [200, 400, 404, 500])
async def test_an_answer_that_is_not_elasticsearchs_is_an_unknown_outcome(server, cluster, status):
    server.say(status, "<html>no</html>", type_="text/html")
    assert isinstance(await cluster.bulk(BODY), Unknown)


@pytest.mark.parametrize(
    "text", ['{"errors":false,"items":[{"ind', "[]", "{}", '{"items":3}', '{"items":[1]}', ""]
)
async def test_an_answer_that_cannot_be_read_is_an_unknown_outcome(server, cluster, text):
    server.say(200, text)
    assert isinstance(await cluster.bulk(BODY), Unknown)


async def test_a_connection_that_breaks_is_an_unknown_outcome(server, cluster):
    server.cut = True
    server.answers.append("HTTP/1.1 200 X\r\ncontent-length: 90\r\n\r\n{")
    assert isinstance(await cluster.bulk(BODY), Unknown)


async def test_nobody_listening_is_an_unknown_outcome():
    cluster = ElasticsearchCluster(ElasticsearchConnection(("http://127.0.0.1:1",)))
    assert isinstance(await cluster.bulk(BODY), Unknown)
    with pytest.raises(Unavailable):
        await cluster.index_schema("i")
    await cluster.close()


async def test_renewed_credentials_are_used(server, cluster, secret):
    for _ in range(2):
        server.say(200, {"items": []})
        await cluster.bulk(BODY)
        secret["password"] = "second"
        await cluster.renew_credentials()
    first, second = [fields["authorization"] for _, fields, _ in server.requests]
    assert first != second


async def test_the_hash_of_template_and_index_is_found(server, cluster):
    mappings = {"_meta": {"schema": "h"}}
    template = {"index_template": {"template": {"mappings": mappings}}}
    server.say(200, {"index_templates": [template]})
    server.say(200, {"i": {"mappings": mappings}})
    server.say(200, {"i": {"mappings": {}}})
    assert await cluster.template_schema("t") == "h"
    assert await cluster.index_schema("i") == "h"
    assert await cluster.index_schema("i") == ""


async def test_what_is_not_there_is_none(server, cluster):
    server.say(404, {})
    server.say(404, {})
    assert await cluster.template_schema("t") is None
    assert await cluster.index_schema("i") is None


async def test_an_index_that_exists_already_is_fine(server, cluster):
    server.say(400, {"error": {"type": "resource_already_exists_exception", "reason": "r"}})
    await cluster.create_index("i")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Refused),
        (401, Unauthorized),
        (403, Unauthorized),
        (429, Unavailable),
        (500, Unavailable),
        (503, Unavailable),
    ],
)
async def test_a_no_is_told_apart_from_a_not_now(server, cluster, status, error):
    server.say(status, {"error": {"type": "some_exception", "reason": "why"}})
    with pytest.raises(error, match="some_exception why") as raised:
        await cluster.put_template("t", {})
    assert type(raised.value) is error


async def test_a_cluster_that_says_how_it_is_answers(server, cluster):
    server.say(200, {"status": "yellow"})
    assert await cluster.answers()
    assert server.requests[0][0].startswith("GET /_cluster/health?")


@pytest.mark.parametrize("status", [401, 403, 429, 503])
async def test_a_cluster_that_serves_nothing_does_not_answer(server, cluster, status):
    server.say(status, REFUSED)
    assert not await cluster.answers()


async def test_a_cluster_that_is_not_there_does_not_answer():
    cluster = ElasticsearchCluster(ElasticsearchConnection(("http://127.0.0.1:1",)))
    assert not await cluster.answers()
    await cluster.close()
