"""The files the engines are made of: which, and what each must contain."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import msgspec

from ingest.engines.config import EngineName


class Artefact(msgspec.Struct, frozen=True):
    """One pinned file: `name` is `group:artifact:packaging:version`, as Maven has it."""

    name: str
    size_bytes: int
    sha256: str

    @property
    def version(self) -> str:
        """The last part of the name."""
        return self.name.split(":")[3]

    @property
    def file_name(self) -> str:
        """The file's name, in a repository and in a cache."""
        _, artifact, packaging, version = self.name.split(":")
        return f"{artifact}-{version}.{packaging}"

    @property
    def path(self) -> str:
        """Where a repository has the file."""
        group, artifact, _, version = self.name.split(":")
        return "/".join([*group.split("."), artifact, version, self.file_name])

    def is_at(self, path: Path) -> bool:
        """Whether the file is there and is exactly the pinned one."""
        try:
            if path.stat().st_size != self.size_bytes:
                return False
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == self.sha256
        except FileNotFoundError:
            return False


@dataclass(frozen=True, slots=True)
class Pinned:
    """Everything to fetch: Kafka is many jars, Elasticsearch one zip.

    `repository` is a web address; without one it is the public Maven repository.
    """

    kafka: tuple[Artefact, ...]
    elasticsearch: Artefact
    repository: str | None = None

    @property
    def all(self) -> tuple[Artefact, ...]:
        """Every file of both engines."""
        return (*self.kafka, self.elasticsearch)


def load_pinned() -> Pinned:
    """Read the list that is part of this package."""
    text = files("ingest.engines").joinpath("artefacts.toml").read_bytes()
    listed = msgspec.toml.decode(text, type=dict[EngineName, list[Artefact]])
    (zipped,) = listed["elasticsearch"]
    return Pinned(kafka=tuple(listed["kafka"]), elasticsearch=zipped)
