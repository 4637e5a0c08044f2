"""The configuration: the only reader of the config file and of the environment."""

from ingest.settings.catalog import Setting, catalog, sections
from ingest.settings.checks import check, load_books, warnings, zone
from ingest.settings.loading import load
from ingest.settings.model import Settings
from ingest.settings.packing import settings_from_json, settings_to_json
from ingest.settings.values import Bytes, FilePath, Milliseconds, Seconds, Secret

__all__ = [
    "Bytes",
    "FilePath",
    "Milliseconds",
    "Seconds",
    "Secret",
    "Setting",
    "Settings",
    "catalog",
    "check",
    "load",
    "load_books",
    "sections",
    "settings_from_json",
    "settings_to_json",
    "warnings",
    "zone",
]
