"""Handing the effective settings to a child process, over a pipe that nobody else reads.

The text holds secrets in clear: it must not go anywhere else.
"""

from typing import Any

import msgspec

from ingest.settings.model import Settings
from ingest.settings.values import Secret


def settings_to_json(settings: Settings) -> bytes:
    """Pack `settings` completely, secrets included."""
    return msgspec.json.encode(settings, enc_hook=_pack)


def settings_from_json(packed: bytes) -> Settings:
    """Unpack what `settings_to_json` made."""
    return msgspec.json.decode(packed, type=Settings, dec_hook=_unpack)


def _pack(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.packed()
    plain = next(kind for kind in (int, float, str) if isinstance(value, kind))
    return plain(value)


def _unpack(kind: Any, value: Any) -> Any:
    return Secret(value["value"], file=value["file"]) if kind is Secret else kind(value)
