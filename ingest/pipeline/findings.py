"""What `doctor` finds: one sentence each, whether it is well, and what to do if it is not."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from ingest.errors import IngestError, Unauthorized

State: TypeAlias = Literal["ok", "warning", "failed"]
Area: TypeAlias = Literal["configuration", "Kafka", "Elasticsearch", "gateway"]

EXPIRES_SOON_DAYS = 30
CLOCKS_DIFFER_S = 5.0


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at. `failed` keeps events from being processed, now or soon."""

    area: Area
    state: State
    what: str
    remedy: str = ""


class Certificate(msgspec.Struct, frozen=True):
    """A certificate that we trust or that a server shows: whose it is and how long (aware)."""

    whose: str
    expires_at: datetime


def failure(area: Area, error: IngestError) -> Finding:
    """Report an error of ours; most say themselves what to do."""
    remedy = "check the log-in in the settings, or grant the privilege"
    return Finding(area, "failed", str(error), remedy if isinstance(error, Unauthorized) else "")


def certificates(area: Area, found: Collection[Certificate], now: datetime) -> Iterator[Finding]:
    """Report how long certificates are valid."""
    for certificate in found:
        days = (certificate.expires_at - now).days
        what = (
            f"certificate of {certificate.whose} is valid until {certificate.expires_at:%Y-%m-%d}"
        )
        if days < 0:
            what = f"certificate of {certificate.whose} expired {certificate.expires_at:%Y-%m-%d}"
            yield Finding(area, "failed", what, "renew it")
        elif days < EXPIRES_SOON_DAYS:
            yield Finding(area, "warning", f"{what}: {days} days", "renew it")
        else:
            yield Finding(area, "ok", what)


def clock(area: Area, ahead_s: float | None) -> Iterator[Finding]:
    """Report how far the other side's clock is ahead of ours; None where that is not known."""
    if ahead_s is None:
        return
    if abs(ahead_s) <= CLOCKS_DIFFER_S:
        yield Finding(area, "ok", "its clock agrees with this machine's")
        return
    way = "ahead of" if ahead_s > 0 else "behind"
    what = f"its clock is {abs(ahead_s):,.0f} s {way} this machine's"
    yield Finding(area, "warning", what, "let both take their time from one source (NTP)")
