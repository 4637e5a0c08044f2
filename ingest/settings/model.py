"""Every setting: its name, type, default and meaning. The reference page is made from here.

Attributes carry a unit where the key in the file is written with one: `drain = "10s"` is
`settings.worker.drain_s`.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from ingest.core.rules import ErrorRule
from ingest.settings.values import Bytes, FilePath, Milliseconds, Seconds, Secret

_DAY_MS = 86_400_000


class Kafka(msgspec.Struct, frozen=True):
    """How to reach the brokers."""

    bootstrap: Annotated[
        tuple[str, ...],
        Meta(min_length=1, description="Brokers to ask first, each as `host:port`."),
    ] = ("127.0.0.1:9092",)
    security_protocol: Annotated[
        Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"],
        Meta(description="Whether connections are encrypted (SSL) and log in (SASL)."),
    ] = "PLAINTEXT"
    sasl_mechanism: Annotated[
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"],
        Meta(description="How to log in, where the protocol is one of the SASL ones."),
    ] = "SCRAM-SHA-512"
    username: Annotated[str | None, Meta(description="User to log in as.")] = None
    password: Annotated[Secret | None, Meta(description="The user's password.")] = None
    ca_file: Annotated[
        FilePath | None,
        Meta(description="PEM file of the authorities to trust; without it, the system's."),
    ] = None


class Topics(msgspec.Struct, frozen=True):
    """Names of the Kafka topics, and how `ingest setup` creates them."""

    raw: Annotated[str, Meta(description="What clients write.")] = "llm-requests-raw"
    enriched: Annotated[str, Meta(description="Enriched events.")] = "llm-requests-enriched"
    dead: Annotated[str, Meta(description="Dead letters.")] = "llm-requests-dead"
    alerts: Annotated[str, Meta(description="Alerts.")] = "llm-requests-alerts"
    partitions: Annotated[
        int,
        Meta(
            ge=1, le=10_000, description="Partitions of a topic: the most replicas a role can use."
        ),
    ] = 4
    replication: Annotated[
        int, Meta(ge=1, le=100, description="Brokers that keep a copy of each partition.")
    ] = 1
    retention_raw_ms: Annotated[
        Milliseconds, Meta(description="How long the raw topic keeps records.")
    ] = field(name="retention_raw", default=Milliseconds(7 * _DAY_MS))
    retention_enriched_ms: Annotated[
        Milliseconds, Meta(description="How long the enriched topic keeps records.")
    ] = field(name="retention_enriched", default=Milliseconds(7 * _DAY_MS))
    retention_dead_ms: Annotated[
        Milliseconds, Meta(description="How long dead letters and alerts are kept.")
    ] = field(name="retention_dead", default=Milliseconds(30 * _DAY_MS))


class Elasticsearch(msgspec.Struct, frozen=True):
    """How to reach the cluster, and the shape of its indices."""

    url: Annotated[
        tuple[str, ...],
        Meta(min_length=1, description="Nodes, each as `https://host:port`."),
    ] = ("http://127.0.0.1:9200",)
    username: Annotated[str | None, Meta(description="User to log in as.")] = None
    password: Annotated[Secret | None, Meta(description="The user's password.")] = None
    api_key: Annotated[
        Secret | None, Meta(description="Encoded API key, instead of a user and password.")
    ] = None
    ca_file: Annotated[
        FilePath | None,
        Meta(description="PEM file of the authorities to trust; without it, the system's."),
    ] = None
    index_prefix: Annotated[
        str,
        Meta(description="Daily indices are `<prefix>-YYYY.MM.dd`; also the name to read them by."),
    ] = "llm-requests"
    index_prefix_by_service: Annotated[
        dict[str, str], Meta(description="Other prefixes for the events of some services.")
    ] = {}
    shards: Annotated[int, Meta(ge=1, le=1024, description="Primary shards of a daily index.")] = 1
    replicas: Annotated[
        int, Meta(ge=0, le=100, description="Copies of each shard; 0 on a single node.")
    ] = 1
    retention_days: Annotated[
        int, Meta(ge=1, le=36_500, description="Age at which daily indices are deleted, days.")
    ] = 365
    bulk_bytes: Annotated[Bytes, Meta(description="Largest bulk request.")] = Bytes(5 * 1024**2)
    bulk_concurrency: Annotated[
        int, Meta(ge=1, le=64, description="Bulk requests of one replica in flight at a time.")
    ] = 2


class Timestamps(msgspec.Struct, frozen=True):
    """How an event's own time is read and how far it is believed."""

    naive_zone: Annotated[
        str, Meta(description="Zone of times that name none, such as `UTC` or `Asia/Seoul`.")
    ] = "UTC"
    max_past_ms: Annotated[
        Milliseconds,
        Meta(description="A time further before the record's arrival in Kafka is not believed."),
    ] = field(name="max_past", default=Milliseconds(365 * _DAY_MS))
    max_future_ms: Annotated[
        Milliseconds,
        Meta(description="A time further after the record's arrival in Kafka is not believed."),
    ] = field(name="max_future", default=Milliseconds(3_600_000))


class Latency(msgspec.Struct, frozen=True):
    """Where a request counts as slow, in milliseconds."""

    warning_ms: Annotated[
        float, Meta(ge=0, description="Above: category `warning`, tag `medium_latency`.")
    ] = 3_000
    critical_ms: Annotated[
        float, Meta(ge=0, description="Above: category `critical`, tag `high_latency`.")
    ] = 10_000


class Cost(msgspec.Struct, frozen=True):
    """What tokens cost."""

    high_usd: Annotated[
        float, Meta(ge=0, description="A request above this many USD gets the tag `high_cost`.")
    ] = 1.0
    books: Annotated[
        tuple[FilePath, ...],
        Meta(description="Price books of your own, beside the shipped `list` and `tutorial`."),
    ] = ()
    book_by_service: Annotated[
        dict[str, str], Meta(description="Which book prices the events of a service.")
    ] = field(default_factory=lambda: {"holysheep-ai": "tutorial"})
    default_book: Annotated[str, Meta(description="The book for every other service.")] = "list"


class Errors(msgspec.Struct, frozen=True):
    """How failures are classified."""

    rules: Annotated[
        tuple[ErrorRule, ...],
        Meta(
            description="Your own classes, tried before the built-in ones: `contains` (texts, any "
            "of them, in any case, in the error's text or code), `type`, and optionally `tag`."
        ),
    ] = ()


class Tags(msgspec.Struct, frozen=True):
    """Which optional tags events get."""

    model: Annotated[bool, Meta(description="Tag each event `model_<model>`.")] = True


class Documents(msgspec.Struct, frozen=True):
    """Which events are the same document."""

    id: Annotated[
        Literal["request_id", "position"],
        Meta(
            description="`request_id`: a line sent twice is one document. "
            "`position`: each Kafka record is its own."
        ),
    ] = "request_id"


class Privacy(msgspec.Struct, frozen=True):
    """What never reaches the enriched topic and Elasticsearch."""

    drop: Annotated[
        tuple[str, ...],
        Meta(
            description="Dotted names of fields to remove. Worth considering: `messages`, "
            "`prompt`, `input`, `output`, `choices`, `completion`, `request_body`, "
            "`response_body`, `headers`, `authorization`."
        ),
    ] = ()
    mask_secrets: Annotated[
        bool, Meta(description="Replace API keys (`sk-…`) and bearer tokens in any text by stars.")
    ] = True


class Limits(msgspec.Struct, frozen=True):
    """What is too much."""

    max_event_bytes: Annotated[
        Bytes, Meta(description="A larger raw event becomes a dead letter; at most 1 MiB.")
    ] = Bytes(1024**2)


class Worker(msgspec.Struct, frozen=True):
    """How the stream processors run."""

    max_batch_events: Annotated[
        int, Meta(ge=1, le=100_000, description="Most records of one batch.")
    ] = 2_000
    max_batch_bytes: Annotated[
        Bytes,
        Meta(description="Most bytes of one batch: values, or bulk lines."),
    ] = Bytes(2 * 1024**2)
    bulk_cache_bytes: Annotated[
        Bytes,
        Meta(
            description="Shared memory on one machine for bulk requests that the enrich role has "
            "made and the index role of the same `ingest worker` then need not make; 0: none."
        ),
    ] = field(name="bulk_cache", default=Bytes(64 * 1024**2))
    in_flight: Annotated[
        int, Meta(ge=1, le=1_000, description="Unfinished batches at which fetching pauses.")
    ] = 8
    drain_s: Annotated[
        Seconds, Meta(description="At SIGTERM, how long batches in flight may take to finish.")
    ] = field(name="drain", default=Seconds(10))
    group_prefix: Annotated[
        str, Meta(description="Consumer groups are `<prefix>-enrich` and `<prefix>-index`.")
    ] = "ingest"
    instance: Annotated[
        str,
        Meta(description="This host's part of the static member names; empty: its host name."),
    ] = ""
    session_timeout_s: Annotated[
        Seconds, Meta(description="Silence after which Kafka gives a replica's partitions away.")
    ] = field(name="session_timeout", default=Seconds(8))
    watchdog_tick_s: Annotated[
        Seconds, Meta(description="A replica whose event loop stands still for this long ends.")
    ] = field(name="watchdog_tick", default=Seconds(60))
    watchdog_step_s: Annotated[
        Seconds, Meta(description="A replica with a batch that makes no step for this long ends.")
    ] = field(name="watchdog_step", default=Seconds(300))


class Metrics(msgspec.Struct, frozen=True):
    """Where each replica shows its metrics and its health."""

    listen: Annotated[
        str,
        Meta(
            description="`host:port` of the first replica on this machine; replica n listens on "
            "port + n, those of both roles counted together. Empty: nowhere."
        ),
    ] = "127.0.0.1:9464"


class Gateway(msgspec.Struct, frozen=True):
    """How `ingest gateway` takes events from clients that do not speak Kafka."""

    http_listen: Annotated[
        str, Meta(description="`host:port` of the HTTP door; empty: closed.")
    ] = "127.0.0.1:8080"
    tcp_listen: Annotated[
        str,
        Meta(description="`host:port` of the door for JSON lines, usually 5055; empty: closed."),
    ] = ""
    beats_listen: Annotated[
        str, Meta(description="`host:port` of the door for Beats, usually 5044; empty: closed.")
    ] = ""
    keys_file: Annotated[
        FilePath | None,
        Meta(description="TOML file of the API keys for HTTP; without it, everybody may write."),
    ] = None
    cert_file: Annotated[
        FilePath | None, Meta(description="PEM file of the doors' certificate: they speak TLS.")
    ] = None
    key_file: Annotated[FilePath | None, Meta(description="PEM file of the certificate's key.")] = (
        None
    )
    client_ca_file: Annotated[
        FilePath | None,
        Meta(
            description="PEM file of the authorities of client certificates, which are asked for."
        ),
    ] = None
    plaintext: Annotated[
        bool,
        Meta(
            description="Allow doors on other addresses than the loopback without TLS, those for "
            "TCP and Beats also without client certificates."
        ),
    ] = False
    max_body_bytes: Annotated[
        Bytes, Meta(description="Largest body of an HTTP request, before and after decompression.")
    ] = Bytes(16 * 1024**2)
    max_items: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Most events of one request.")
    ] = 10_000
    max_connections: Annotated[
        int, Meta(ge=1, le=100_000, description="Most connections of each door.")
    ] = 1_000
    read_timeout_s: Annotated[
        Seconds,
        Meta(description="How long the body of a request, a line or a frame may take to come."),
    ] = field(name="read_timeout", default=Seconds(30))
    idle_timeout_s: Annotated[
        Seconds, Meta(description="How long a connection may stay open without saying anything.")
    ] = field(name="idle_timeout", default=Seconds(60))
    tcp_idle_timeout_s: Annotated[
        Seconds,
        Meta(
            description="The same for JSON lines: their clients do not notice that a connection "
            "was closed, and lose what they send next."
        ),
    ] = field(name="tcp_idle_timeout", default=Seconds(3600))
    buffer_bytes: Annotated[
        Bytes,
        Meta(
            description="Bytes on their way to Kafka, of all doors together, above which nothing "
            "more is taken; at least four times `max_body_bytes`."
        ),
    ] = Bytes(64 * 1024**2)
    publish_timeout_s: Annotated[
        Seconds,
        Meta(description="How long Kafka may take to confirm before the client is told no."),
    ] = field(name="publish_timeout", default=Seconds(10))
    drain_s: Annotated[
        Seconds,
        Meta(
            description="At SIGTERM, how long what has come may take to be confirmed and answered; "
            "the process ends three seconds later at most."
        ),
    ] = field(name="drain", default=Seconds(6))


class Settings(msgspec.Struct, frozen=True):
    """The effective configuration. `sources` says for `section.key` where its value comes from."""

    kafka: Kafka = Kafka()
    topics: Topics = Topics()
    elasticsearch: Elasticsearch = Elasticsearch()
    timestamps: Timestamps = Timestamps()
    latency: Latency = Latency()
    cost: Cost = Cost()
    errors: Errors = Errors()
    tags: Tags = Tags()
    documents: Documents = Documents()
    privacy: Privacy = Privacy()
    limits: Limits = Limits()
    worker: Worker = Worker()
    metrics: Metrics = Metrics()
    gateway: Gateway = Gateway()
    sources: dict[str, str] = {}
