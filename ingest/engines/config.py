"""What a caller says about local engines, and where each thing is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

EngineName = Literal["kafka", "elasticsearch"]
ENGINES: tuple[EngineName, ...] = ("kafka", "elasticsearch")
TITLES: Mapping[EngineName, str] = {"kafka": "Kafka", "elasticsearch": "Elasticsearch"}

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Listener:
    """A second Kafka listener whose clients are told to come to another port.

    `port` is where the broker listens, `advertised_port` where a proxy before it listens.
    """

    port: int
    advertised_port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """One pair of engines: its ports, its data folder and the shared downloads.

    `short_lived` trades speed under long load for a start with half the work: for tests and
    demonstrations. The user of secure engines may use topics, consumer groups and indices whose
    names begin with one of `prefixes`. `elasticsearch_settings` are put over ours. `environ` is
    only searched for INGEST_JAVA_HOME, JAVA_HOME and PATH.
    """

    data_dir: Path
    cache_dir: Path
    kafka_port: int = 9092
    elasticsearch_port: int = 9200
    secure: bool = False
    prefixes: tuple[str, ...] = ("llm-", "ingest-")
    short_lived: bool = False
    heap_mb: int = 512
    proxied: Listener | None = None
    elasticsearch_settings: Mapping[str, object] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    def port(self, name: EngineName) -> int:
        """The port clients of one engine come to."""
        return self.kafka_port if name == "kafka" else self.elasticsearch_port

    def home(self, name: EngineName) -> Path:
        """Configuration and data of one engine."""
        return self.data_dir / name

    @property
    def log_dir(self) -> Path:
        """What the engines write for people; it stays after `stop` and `reset`."""
        return self.data_dir / "logs"

    def logs(self, name: EngineName) -> Path:
        """The log files of one engine."""
        return self.log_dir / name

    def console(self, name: EngineName) -> Path:
        """What one engine's process prints; its folder is ours, not the engine's."""
        return self.log_dir / f"{name}-console.log"

    @property
    def state_file(self) -> Path:
        """Which processes run, so that another command can find them."""
        return self.data_dir / "state.json"

    @property
    def lock_file(self) -> Path:
        """Held while engines of this folder are started, stopped or emptied."""
        return self.data_dir / "lock"

    @property
    def tls_dir(self) -> Path:
        """The certificate authority's public part, the servers' certificate and key."""
        return self.data_dir / "tls"

    @property
    def credentials_file(self) -> Path:
        """User names and passwords of secure engines, readable by their owner only."""
        return self.data_dir / "credentials.toml"

    @property
    def admin_profile(self) -> Path:
        """A configuration file that connects as the administrator of secure engines."""
        return self.data_dir / "admin.toml"

    @property
    def user_profile(self) -> Path:
        """A configuration file that connects as the pipeline's user of secure engines."""
        return self.data_dir / "user.toml"


@dataclass(frozen=True, slots=True)
class Login:
    """A user of an engine; its password is never shown."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The users of a secure pair: `admin` may do everything, `user` what the pipeline needs."""

    kafka_admin: Login
    kafka_user: Login
    elasticsearch_admin: Login
    elasticsearch_user: Login


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where clients connect; the last three are None for engines without TLS and users."""

    bootstrap: str
    elasticsearch_url: str
    ca_file: Path | None = None
    credentials_file: Path | None = None
    credentials: Credentials | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStatus:
    """One engine as it is now: `answers` means that a client would be served."""

    name: EngineName
    running: bool
    answers: bool
    address: str
    pid: int | None
    memory_bytes: int
    log_dir: Path
