"""API keys of the gateway: stored as SHA-256, each with what it may do.

The file is TOML, a table for each key:

    [[key]]
    name = "checkout"
    sha256 = "..."                  # of the key's text
    services = ["checkout"]         # left out: any
    expires = 2027-01-01            # left out: never; from this day on (UTC) it is not valid
    events_per_s = 500              # left out: no limit
    bytes_per_s = 1_000_000
"""

import hashlib
import hmac
import tomllib
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from ingest.errors import UsageError
from ingest.gateway.limits import Bucket

BURST_S = 10.0


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One key as the file describes it."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    sha256: Annotated[str, Meta(pattern="^[0-9a-fA-F]{64}$")]
    services: tuple[str, ...] | None = None
    expires: date | None = None
    events_per_s: Annotated[float, Meta(gt=0)] | None = None
    bytes_per_s: Annotated[float, Meta(gt=0)] | None = None

    def is_valid(self, now: datetime) -> bool:
        """Whether it has not expired."""
        return self.expires is None or now.astimezone(UTC).date() < self.expires


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    key: tuple[Key, ...]


class Holder:
    """A key in use, with what it has spent."""

    def __init__(self, key: Key, clock: Callable[[], float]) -> None:
        self.key = key
        self._digest = bytes.fromhex(key.sha256)
        self._events, self._bytes = (
            None if per_s is None else Bucket(per_s, BURST_S, clock)
            for per_s in (key.events_per_s, key.bytes_per_s)
        )

    def is_named_by(self, digest: bytes) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(self._digest, digest)

    def allows(self, service: str) -> bool:
        """Whether events of this service may be written; "" where an event names none."""
        return self.key.services is None or service in self.key.services

    def wait_s(self, events: int, size_bytes: int) -> float:
        """Return 0 and count the request, or the seconds after which it may come again."""
        pairs = ((self._bytes, size_bytes), (self._events, events))
        return max((b.wait_s(amount) for b, amount in pairs if b is not None), default=0.0)


class Keyring:
    """All keys. `clock` is monotonic, `now` tells the time."""

    def __init__(
        self,
        keys: Sequence[Key],
        clock: Callable[[], float],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._holders = [Holder(key, clock) for key in keys]
        self._now = now

    def find(self, secret: str) -> Holder | None:
        """Return the valid key that the text is, None if it is none.

        Every key is compared, so that the time tells nothing.
        """
        digest = hashlib.sha256(secret.encode()).digest()
        found = [holder for holder in self._holders if holder.is_named_by(digest)]
        return next((holder for holder in found if holder.key.is_valid(self._now())), None)


def load_keys(path: str) -> tuple[Key, ...]:
    """Read the file. Raises UsageError, which names the place and no content."""
    try:
        content = tomllib.loads(Path(path).read_text())
        keys = msgspec.convert(content, _File).key
    except OSError as error:
        raise UsageError(f"gateway.keys_file {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"gateway.keys_file {path}: it is not UTF-8 text") from None
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise UsageError(f"gateway.keys_file {path}: {error}") from None
    names = [key.name for key in keys]
    if len(set(names)) < len(names):
        raise UsageError(f"gateway.keys_file {path}: two keys have one name")
    return keys
