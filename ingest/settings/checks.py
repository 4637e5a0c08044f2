"""What has to be true of the settings beyond each value's type."""

import re
from collections.abc import Mapping
from datetime import UTC, tzinfo
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from ingest.errors import Unavailable, UsageError
from ingest.settings.model import Settings
from ingest.settings.values import Secret
from schemas.prices import SHIPPED, PriceBook, load_book, load_shipped

MAX_PREFIX_BYTES = 255 - len("-2026.01.31")

_INDEX_PREFIX = re.compile(r"[a-z0-9][a-z0-9._-]*")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")
_MIN_SESSION_S, _MAX_SESSION_S = 6, 1_800
_MAX_EVENT_BYTES = 1024**2
_LOCAL = ("localhost", "127.0.0.1", "::1")


def check(settings: Settings) -> None:
    """Raise UsageError for the first value that cannot work, naming where it was set."""
    _check_kafka(settings)
    _check_topics(settings)
    _check_elasticsearch(settings)
    _check_prefixes(settings)
    _check_limits(settings)
    _check_gateway(settings)
    _check_meaning(settings)
    _check_books(settings)


def warnings(settings: Settings) -> list[str]:
    """Return what is allowed but likely to be regretted."""
    found = []
    days = settings.elasticsearch.retention_days
    if settings.timestamps.max_past_ms > days * 86_400_000:
        found.append(
            f"timestamps.max_past ({settings.timestamps.max_past_ms.written}) exceeds "
            f"elasticsearch.retention_days ({days}): late events would create deleted indices anew"
        )
    if _has_login(settings) and any(_is_clear(url) for url in settings.elasticsearch.url):
        found.append("elasticsearch.url: credentials go over http, unencrypted; use https")
    if settings.kafka.security_protocol == "SASL_PLAINTEXT":
        found.append("kafka.security_protocol: SASL_PLAINTEXT does not encrypt; use SASL_SSL")
    gateway = settings.gateway
    listens = (gateway.http_listen, gateway.tcp_listen, gateway.beats_listen)
    if not gateway.cert_file and any(listen and not _is_loopback(listen) for listen in listens):
        found.append(
            "gateway.plaintext: keys and events come unencrypted, and whoever reaches the doors "
            "for TCP and Beats may write; have a proxy before it speak TLS"
        )
    return found


def load_books(settings: Settings) -> dict[str, PriceBook]:
    """Return all price books by name, the shipped ones and those of the configured files."""
    return {name: load_shipped(name) for name in SHIPPED} | _own_books(settings)


def zone(name: str) -> tzinfo:
    """Return the time zone of this name. Raises ValueError if there is none."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError(
            f"no time zone {name!r} is known here; try `UTC` or `Asia/Seoul`"
        ) from error


def _wrong(settings: Settings, name: str, reason: str) -> UsageError:
    return UsageError(f"{settings.sources.get(name, 'settings')}: {name}: {reason}")


def _check_kafka(settings: Settings) -> None:
    kafka = settings.kafka
    if not all(_is_address(broker) for broker in kafka.bootstrap):
        raise _wrong(settings, "kafka.bootstrap", "each must be host:port")
    sasl = kafka.security_protocol.startswith("SASL")
    if sasl and not (kafka.username and kafka.password):
        reason = f"{kafka.security_protocol} needs kafka.username and kafka.password"
        raise _wrong(settings, "kafka.security_protocol", reason)
    for key in ("username", "password"):
        if getattr(kafka, key) and not sasl:
            reason = f"is not used with {kafka.security_protocol}; set kafka.security_protocol"
            raise _wrong(settings, f"kafka.{key}", reason)
    _check_secrets(settings, "kafka", {"password": kafka.password})
    if kafka.ca_file and not kafka.security_protocol.endswith("SSL"):
        reason = f"is not used with {kafka.security_protocol}; set kafka.security_protocol"
        raise _wrong(settings, "kafka.ca_file", reason)
    _check_file(settings, "kafka.ca_file", kafka.ca_file)


def _check_topics(settings: Settings) -> None:
    topics = settings.topics
    names: dict[str, str] = {}
    for key in ("raw", "enriched", "dead", "alerts"):
        topic = getattr(topics, key)
        if not _TOPIC.fullmatch(topic) or topic in (".", ".."):
            reason = "a topic's name is 1 to 249 of A-Z a-z 0-9 . _ -"
            raise _wrong(settings, f"topics.{key}", reason)
        if topic in names:
            raise _wrong(settings, f"topics.{key}", f"is the same topic as topics.{names[topic]}")
        names[topic] = key
    for key in ("raw", "enriched", "dead"):
        if not getattr(topics, f"retention_{key}_ms"):
            raise _wrong(settings, f"topics.retention_{key}", "must be more than 0")


def _check_elasticsearch(settings: Settings) -> None:
    cluster = settings.elasticsearch
    for url in cluster.url:
        _check_url(settings, url)
    if len({urlsplit(url).scheme for url in cluster.url}) > 1:
        raise _wrong(settings, "elasticsearch.url", "mixes http and https; use https for all")
    if cluster.api_key and (cluster.username or cluster.password):
        reason = "is set beside elasticsearch.username or password; keep one way to log in"
        raise _wrong(settings, "elasticsearch.api_key", reason)
    if bool(cluster.username) != bool(cluster.password):
        present, absent = ("username", "password") if cluster.username else ("password", "username")
        raise _wrong(settings, f"elasticsearch.{present}", f"needs elasticsearch.{absent}")
    secrets = {"password": cluster.password, "api_key": cluster.api_key}
    _check_secrets(settings, "elasticsearch", secrets)
    if cluster.ca_file and not any(url.startswith("https:") for url in cluster.url):
        raise _wrong(settings, "elasticsearch.ca_file", "is not used: no url begins with https://")
    _check_file(settings, "elasticsearch.ca_file", cluster.ca_file)


def _check_url(settings: Settings, url: str) -> None:
    """Refuse what is no node's address; the text may hold a password, so it is never quoted."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _wrong(settings, "elasticsearch.url", "each must be https://host:port") from None
    if parts.username is not None or parts.password is not None:
        reason = "no user or password in the address; set elasticsearch.username and password"
        raise _wrong(settings, "elasticsearch.url", reason)
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise _wrong(settings, "elasticsearch.url", "each must be https://host:port")
    if parts.query or parts.fragment or not url.isascii() or not url.isprintable() or " " in url:
        raise _wrong(settings, "elasticsearch.url", "each must be https://host:port and no more")


def _check_prefixes(settings: Settings) -> None:
    """Index names and patterns of different prefixes must not meet."""
    cluster = settings.elasticsearch
    by_service = cluster.index_prefix_by_service
    named = [("index_prefix", cluster.index_prefix)]
    named += [("index_prefix_by_service", prefix) for prefix in by_service.values()]
    for key, prefix in named:
        if not _INDEX_PREFIX.fullmatch(prefix) or len(prefix) > MAX_PREFIX_BYTES:
            reason = (
                f"{prefix[:80]!r} cannot begin an index name: 1 to {MAX_PREFIX_BYTES} of "
                "a-z 0-9 . _ -, the first a letter or digit"
            )
            raise _wrong(settings, f"elasticsearch.{key}", reason)
    prefixes = {prefix for _, prefix in named}
    for short in prefixes:
        for long in prefixes:
            if long.startswith(f"{short}-"):
                reason = f"{long!r} falls under the pattern {short}-* of another prefix"
                raise _wrong(settings, "elasticsearch.index_prefix_by_service", reason)


def _check_limits(settings: Settings) -> None:
    worker = settings.worker
    positive: Mapping[str, float] = {
        "elasticsearch.bulk_bytes": settings.elasticsearch.bulk_bytes,
        "limits.max_event_bytes": settings.limits.max_event_bytes,
        "worker.max_batch_bytes": worker.max_batch_bytes,
        "worker.drain": worker.drain_s,
        "gateway.drain": settings.gateway.drain_s,
        "worker.watchdog_tick": worker.watchdog_tick_s,
        "worker.watchdog_step": worker.watchdog_step_s,
    }
    for name, value in positive.items():
        if not value:
            raise _wrong(settings, name, "must be more than 0")
    if settings.limits.max_event_bytes > _MAX_EVENT_BYTES:
        reason = "at most 1 MiB: the topics take no larger records"
        raise _wrong(settings, "limits.max_event_bytes", reason)
    if not _MIN_SESSION_S <= worker.session_timeout_s <= _MAX_SESSION_S:
        raise _wrong(settings, "worker.session_timeout", "must be from 6s to 30m")
    for key in ("group_prefix", "instance"):
        text = getattr(worker, key)
        if not _TOPIC.fullmatch(text or "-"):
            raise _wrong(settings, f"worker.{key}", "may hold 1 to 249 of A-Z a-z 0-9 . _ -")
    if not worker.group_prefix:
        raise _wrong(settings, "worker.group_prefix", "must not be empty")
    if settings.metrics.listen and not _is_address(settings.metrics.listen):
        raise _wrong(settings, "metrics.listen", "must be host:port, or empty")


def _check_gateway(settings: Settings) -> None:
    gateway = settings.gateway
    if bool(gateway.cert_file) != bool(gateway.key_file):
        raise _wrong(settings, "gateway.cert_file", "it needs gateway.key_file, and the reverse")
    if gateway.client_ca_file and not gateway.cert_file:
        raise _wrong(
            settings, "gateway.client_ca_file", "without gateway.cert_file nobody is asked"
        )
    if gateway.buffer_bytes < 4 * gateway.max_body_bytes:
        raise _wrong(settings, "gateway.buffer_bytes", "must be 4 times gateway.max_body_bytes")
    may_show_key = bool(gateway.keys_file or gateway.client_ca_file)
    _check_door(settings, "http_listen", "keys_file or client_ca_file", known=may_show_key)
    for name in ("tcp_listen", "beats_listen"):
        known = bool(gateway.client_ca_file) or gateway.plaintext
        _check_door(settings, name, "client_ca_file, or plaintext = true", known=known)


def _check_door(settings: Settings, name: str, need: str, *, known: bool) -> None:
    """Check where a door listens; `known`: its clients show who they are, as `need` says."""
    listen = getattr(settings.gateway, name)
    if not listen:
        return
    if not _is_address(listen):
        raise _wrong(settings, f"gateway.{name}", "must be host:port, or empty")
    if _is_loopback(listen):
        return
    if not (settings.gateway.cert_file or settings.gateway.plaintext):
        reason = f"{listen} is not this machine alone: set gateway.cert_file, or plaintext = true"
        raise _wrong(settings, f"gateway.{name}", reason)
    if not known:
        reason = f"{listen} is not this machine alone: set gateway.{need}"
        raise _wrong(settings, f"gateway.{name}", reason)


def _check_meaning(settings: Settings) -> None:
    try:
        zone(settings.timestamps.naive_zone)
    except ValueError as error:
        raise _wrong(settings, "timestamps.naive_zone", str(error)) from None
    if settings.latency.warning_ms > settings.latency.critical_ms:
        raise _wrong(settings, "latency.warning_ms", "must not exceed latency.critical_ms")
    for rule in settings.errors.rules:
        if not rule.contains or not all(rule.contains) or not rule.type or rule.tag == "":
            reason = "each needs texts in `contains` and a `type`, none of them empty"
            raise _wrong(settings, "errors.rules", reason)
    if not all(all(name.split(".")) for name in settings.privacy.drop):
        raise _wrong(settings, "privacy.drop", "each must be a dotted name such as error.headers")


def _check_books(settings: Settings) -> None:
    names = [*SHIPPED, *_own_books(settings)]
    for service, name in settings.cost.book_by_service.items():
        if name not in names:
            reason = f"service {service!r} names book {name!r}; there are {', '.join(names)}"
            raise _wrong(settings, "cost.book_by_service", reason)
    if settings.cost.default_book not in names:
        reason = f"no book has this name; there are {', '.join(names)}"
        raise _wrong(settings, "cost.default_book", reason)


def _own_books(settings: Settings) -> dict[str, PriceBook]:
    books: dict[str, PriceBook] = {}
    for path in settings.cost.books:
        try:
            book = load_book(Path(path).read_bytes())
        except OSError as error:
            reason = f"{path} cannot be read: {error.strerror}"
            raise _wrong(settings, "cost.books", reason) from None
        except ValueError as error:
            raise _wrong(settings, "cost.books", f"{path}: {error}") from None
        if book.name in (*SHIPPED, *books):
            raise _wrong(settings, "cost.books", f"{path}: there is already a book {book.name!r}")
        books[book.name] = book
    return books


def _check_secrets(settings: Settings, section: str, secrets: Mapping[str, Secret | None]) -> None:
    for key, secret in secrets.items():
        if secret is not None:
            try:
                secret.reveal()
            except Unavailable as error:
                raise _wrong(settings, f"{section}.{key}", str(error)) from None


def _check_file(settings: Settings, name: str, path: str | None) -> None:
    if path is None:
        return
    try:
        Path(path).read_bytes()
    except OSError as error:
        raise _wrong(settings, name, f"{path} cannot be read: {error.strerror}") from None


def _is_address(text: str) -> bool:
    found = _ADDRESS.fullmatch(text)
    return found is not None and 1 <= int(found[2]) <= 65_535


def _is_loopback(listen: str) -> bool:
    return listen.rpartition(":")[0].strip("[]") in _LOCAL


def _has_login(settings: Settings) -> bool:
    return bool(settings.elasticsearch.password or settings.elasticsearch.api_key)


def _is_clear(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname not in _LOCAL
