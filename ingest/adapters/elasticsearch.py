"""Elasticsearch: the only module that knows its client.

Retries are the pipeline's business, so the client's own are off. Every answer comes back as a
value; only what no answer describes is raised, as Unavailable or Refused.
"""

import logging
from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

import msgspec
from elastic_transport import ConnectionError as TransportConnectionError
from elastic_transport import JsonSerializer, NdjsonSerializer, TlsError, TransportError
from elasticsearch import ApiError, AsyncElasticsearch
from isal import igzip, isal_zlib

from ingest.adapters.connections import ElasticsearchConnection, tls_context
from ingest.errors import Refused, Unauthorized, Unavailable
from ingest.pipeline.ports import BulkReply, Items, Unknown, Whole, Written
from ingest.pipeline.ready_bulks import Compressor

_JSON = {"accept": "application/json", "content-type": "application/json"}
_NDJSON = {
    "accept": "application/json",
    "content-encoding": "gzip",
    "content-type": "application/x-ndjson",
}
_QUICKLY = 1  # costs less than what it spares
_GZIP = 16 + 15  # zlib's sign for gzip's frame, and the largest window
# Small replies: what was written need not be told, but each status must.
_BULK_PATH = "/_bulk?filter_path=errors,items.*.status,items.*.error"
_WRITTEN = b'{"errors":false,"items":['
_PING_PATH = "/_cluster/health?filter_path=status"
_NOT_FOUND = 404
_REMEDIES = {
    401: "check [elasticsearch] username and password, or api_key",
    403: "grant the missing permission",
}

PING_S = 5.0

_own_logger = logging.getLogger(__name__)


class _Json(JsonSerializer):
    """The client's JSON, read in a third of the time; what a bulk has written is only counted."""

    def json_loads(self, data: bytes) -> Any:
        return _written(data) or msgspec.json.decode(data)


def _written(data: bytes) -> Written | None:
    """Count in an answer that holds a status for each document, none of them an error."""
    if not (data.startswith(_WRITTEN) and data.endswith(b"]}")):
        return None
    created, updated = data.count(b'"status":201'), data.count(b'"status":200')
    return Written(created, updated) if created + updated == data.count(b'"status":') else None


def packing() -> Compressor:
    """Begin to compress a bulk body piece by piece, to what `bulk` takes as packed."""
    return isal_zlib.compressobj(_QUICKLY, isal_zlib.DEFLATED, _GZIP)


class _Lines(NdjsonSerializer):
    """Bulk bodies: ready ones are left alone."""

    def dumps(self, data: Any) -> bytes:
        return data if isinstance(data, bytes) else super().dumps(data)


def connect(connection: ElasticsearchConnection, timeout_s: float = 60.0) -> AsyncElasticsearch:
    """Make a client. Certificates are always verified where the URL says https."""
    _quieten()
    tls: dict[str, Any] = (
        {"ssl_context": tls_context(connection.ca_file)} if connection.uses_tls else {}
    )
    client = AsyncElasticsearch(
        list(connection.url),
        request_timeout=timeout_s,
        max_retries=0,
        retry_on_timeout=False,
        retry_on_status=(),
        serializers={kind.mimetype: kind() for kind in (_Json, _Lines)},
        **tls,
    )
    return log_in(client, connection)


def _quieten() -> None:
    """Hold back the client's line for each failed attempt: what comes of it is raised."""
    if not _own_logger.isEnabledFor(logging.DEBUG):
        logging.getLogger("elastic_transport").setLevel(logging.ERROR)


def log_in(client: AsyncElasticsearch, connection: ElasticsearchConnection) -> AsyncElasticsearch:
    """Return the client with the credentials as they are now; the connections are shared."""
    if key := connection.api_key():
        return client.options(api_key=key)
    if connection.username:
        return client.options(basic_auth=(connection.username, connection.password() or ""))
    return client


async def request(
    client: AsyncElasticsearch, method: str, path: str, body: Mapping[str, Any] | None = None
) -> Any:
    """Send one request and return its parsed answer, None for 404.

    Raises Unavailable where nothing answered or the cluster was busy, Refused for any other no.
    """
    try:
        response = await client.perform_request(method, path, headers=_JSON, body=body)
    except ApiError as error:
        return _no(error, f"{method} {path.partition('?')[0]}")
    except TransportError as error:
        raise Unavailable(
            f"Elasticsearch does not answer ({describe(error)}): is it running, and is "
            "[elasticsearch] url right?"
        ) from None
    return response.body


def _no(error: ApiError, what: str) -> None:
    status = error.meta.status
    if status == _NOT_FOUND:
        return
    type_, reason = error_of(error.body)
    words = f"Elasticsearch answered {status} to {what}: {type_} {reason}".strip()
    if status in (429, 500, 502, 503, 504):
        raise Unavailable(words) from None
    if status in _REMEDIES:
        raise Unauthorized(f"{words}: {_REMEDIES[status]}") from None
    raise Refused(words) from None


def error_of(body: object) -> tuple[str, str]:
    """Type and reason in an error answer's body, "" where there are none."""
    error = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        return "", str(error or "")[:200]
    return str(error.get("type", "")), str(error.get("reason", ""))[:300]


def describe(error: TransportError) -> str:
    """What went wrong with the connection, without anything that was sent."""
    if isinstance(error, TlsError):
        return (
            f"its TLS certificate is not accepted ({_certificate_words(error)}): check "
            "[elasticsearch] ca_file, the host name, and how long the certificate is valid"
        )
    if isinstance(error, TransportConnectionError):
        return _words(error)
    return type(error).__name__


def _certificate_words(error: TlsError) -> str:
    """Pick out what OpenSSL says; the client passes on nothing but its own text around it."""
    words = _words(error)
    return words.partition("certificate verify failed: ")[2].partition(" (_ssl")[0] or words


def _words(error: TransportError) -> str:
    return " ".join(str(error.message).split())[:200]


async def search(client: AsyncElasticsearch, index: str, body: dict[str, Any]) -> dict[str, Any]:
    """Search those of the indices or aliases that exist; `index` may be several with commas.

    The answer is complete: a shard that cannot answer makes it Unavailable. Raises Refused where
    none of them exists.
    """
    path = f"/{index}/_search?ignore_unavailable=true&allow_partial_search_results=false"
    found = await request(client, "POST", path, body)
    if found is None or not found["_shards"]["total"]:
        raise Refused(
            f"Elasticsearch has no index or alias {index}: nothing is indexed there yet. "
            "Run `ingest setup` and `ingest worker`, or check elasticsearch.index_prefix."
        )
    return dict(found)


_Item: TypeAlias = Annotated[dict[str, dict[str, Any]], msgspec.Meta(min_length=1, max_length=1)]


class _Answered(msgspec.Struct):
    """What a bulk answer has to have: for each document, the action and its outcome."""

    items: list[_Item]


class ElasticsearchCluster:
    """The write side: implements `ingest.pipeline.ports.Cluster`."""

    def __init__(self, connection: ElasticsearchConnection) -> None:
        self._connection = connection
        self._root = connect(connection)
        self._client = self._root

    async def close(self) -> None:
        """Close the connections."""
        await self._root.close()

    async def renew_credentials(self) -> None:
        """Read user, password or key again."""
        self._client = log_in(self._root, self._connection)

    async def answers(self) -> bool:
        """Whether the cluster has a master, and answers now and to these credentials."""
        try:
            await request(self._client.options(request_timeout=PING_S), "GET", _PING_PATH)
        except (Unavailable, Refused):
            return False
        return True

    async def bulk(self, body: bytes, *, packed: bool = False) -> BulkReply:
        """Send one bulk request and say what came back."""
        content = body if packed else igzip.compress(body, _QUICKLY)
        try:
            response = await self._client.perform_request(
                "POST", _BULK_PATH, headers=_NDJSON, body=content
            )
        except ApiError as error:
            return _whole(error)
        except TransportError as error:
            return Unknown(describe(error))
        return _items(response.body)

    async def template_schema(self, name: str) -> str | None:
        """`_meta.schema` of the template's mapping."""
        found = await request(self._client, "GET", f"/_index_template/{name}")
        if found is None:
            return None
        template = found["index_templates"][0]["index_template"].get("template", {})
        return _schema(template.get("mappings"))

    async def put_template(self, name: str, body: Mapping[str, Any]) -> None:
        """Create or replace the template."""
        await request(self._client, "PUT", f"/_index_template/{name}", body)

    async def create_index(self, name: str) -> None:
        """Create the index from its template."""
        try:
            await request(self._client, "PUT", f"/{name}")
        except Refused as error:
            if "resource_already_exists_exception" not in str(error):
                raise

    async def index_schema(self, name: str) -> str | None:
        """`_meta.schema` of the index's mapping."""
        found = await request(self._client, "GET", f"/{name}/_mapping")
        return None if found is None else _schema(next(iter(found.values())).get("mappings"))


def _schema(mappings: object) -> str:
    meta = mappings.get("_meta") if isinstance(mappings, Mapping) else None
    return str(meta.get("schema", "")) if isinstance(meta, Mapping) else ""


def _items(body: object) -> BulkReply:
    """The answers in order; without them nobody knows what happened."""
    if isinstance(body, Written):
        return body
    try:
        found = msgspec.convert(body, _Answered)
    except msgspec.ValidationError:
        return Unknown("the answer is no bulk answer")
    return Items([answer for item in found.items for answer in item.values()])


def _whole(error: ApiError) -> BulkReply:
    body = error.body
    retry_after = error.meta.headers.get("retry-after") or ""
    seconds = float(retry_after) if retry_after.isascii() and retry_after.isdigit() else None
    if not isinstance(body, Mapping) and error.meta.status not in (
        401,
        403,
        413,
        429,
        502,
        503,
        504,
    ):
        return Unknown(f"status {error.meta.status} without an answer of Elasticsearch")
    content = body.get("error") if isinstance(body, Mapping) else None
    return Whole(error.meta.status, content, seconds)
