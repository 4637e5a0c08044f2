"""One Kafka node, broker and controller in one process: its files and its command."""

import base64
import json
import shutil
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ingest.engines.accounts import write_file
from ingest.engines.config import HOST, EngineConfig
from ingest.engines.kafka_security import format_arguments, secure_properties
from ingest.engines.launching import Context
from ingest.engines.ports import free_port
from ingest.engines.processes import Launch, run_to_end
from ingest.errors import EngineError

# Listeners that only the node itself uses.
_INSIDE = ("INTERNAL", "CONTROLLER")

_LOG4J = """\
status = error
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = ${sys:ingest.logs}/server.log
appender.file.filePattern = ${sys:ingest.logs}/server-%i.log
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{ISO8601}{UTC}Z %-5p %c{1} %m%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 5
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
"""


def server_properties(config: EngineConfig) -> dict[str, str]:
    """The settings of a single node: small, quick to answer, nothing made by itself."""
    advertised = {"CLIENTS": config.kafka_port, "INTERNAL": free_port()}
    listeners = {**advertised, "CONTROLLER": free_port()}
    if config.proxied is not None:
        listeners["PROXIED"] = config.proxied.port
        advertised["PROXIED"] = config.proxied.advertised_port
    return {
        "node.id": "1",
        "process.roles": "broker,controller",
        "controller.quorum.voters": f"1@{HOST}:{listeners['CONTROLLER']}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "INTERNAL",
        "listeners": _listed(listeners),
        "advertised.listeners": _listed(advertised),
        "listener.security.protocol.map": _protocols(listeners, secure=config.secure),
        "log.dirs": str(_data(config)),
        # After a crash the node is let in again only when its former self has been given up.
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": "0",
        "offsets.topic.num.partitions": "4",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
    }


def prepare(context: Context) -> Launch:
    """Write the node's files, make its storage unless it is there, and return the command."""
    config = context.config
    home = context.make_home("kafka")
    write_file(home / "log4j2.properties", _LOG4J, context.account)
    properties = server_properties(config) | _security(context, home)
    settings = home / "server.properties"
    write_file(settings, render_properties(properties), context.account)
    if not _data(config).exists():
        _format(context, properties)
    return _launch(context, "server", ["kafka.Kafka", str(settings)])


def render_properties(values: Mapping[str, str]) -> str:
    """Write a Java properties file; JSON's escapes are among those it understands."""
    return "".join(f"{key}={json.dumps(value)[1:-1]}\n" for key, value in values.items())


def render_arguments(arguments: Sequence[str]) -> str:
    """Write a file of arguments for `java @file`."""
    return "".join(f"{json.dumps(a, ensure_ascii=False)}\n" for a in arguments)


def _security(context: Context, home: Path) -> dict[str, str]:
    """Write the certificates of a secure node and return the settings it has more."""
    if context.secrets is None:
        return {}
    certificates = context.secrets.certificates
    # Kafka wants key and certificate in one file.
    own = write_file(home / "server.pem", certificates.key + certificates.server, context.account)
    trusted = write_file(home / "ca.pem", certificates.authority, context.account)
    admin = context.secrets.credentials.kafka_admin
    return secure_properties(str(own), str(trusted), admin.username)


def _protocols(listeners: Iterable[str], *, secure: bool) -> str:
    outside, inside = ("SASL_SSL", "SSL") if secure else ("PLAINTEXT", "PLAINTEXT")
    return ",".join(f"{name}:{inside if name in _INSIDE else outside}" for name in listeners)


def _listed(ports: Mapping[str, int]) -> str:
    return ",".join(f"{name}://{HOST}:{port}" for name, port in ports.items())


def _data(config: EngineConfig) -> Path:
    return config.home("kafka") / "data"


def _format(context: Context, properties: Mapping[str, str]) -> None:
    """Make the storage under another name first: half of it is never taken for the whole."""
    home, account = context.config.home("kafka"), context.account
    unfinished = home / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    settings = write_file(
        home / "format.properties",
        render_properties({**properties, "log.dirs": str(unfinished)}),
        account,
    )
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    arguments = [
        "kafka.tools.StorageTool",
        "format",
        f"--cluster-id={cluster}",
        "-c",
        str(settings),
    ]
    if context.secrets is not None:
        arguments += format_arguments(context.secrets.credentials)
    try:
        status = run_to_end(_launch(context, "format", arguments), account)
    finally:
        # They may hold passwords.
        (home / "format.arguments").unlink(missing_ok=True)
    if status != 0:
        raise EngineError(
            f"Kafka's storage could not be made (exit {status}): "
            f"see {context.config.console('kafka')}"
        )
    unfinished.rename(_data(context.config))


def _launch(context: Context, name: str, arguments: Sequence[str]) -> Launch:
    """Build the command of one of Kafka's programs, its arguments in a file only it can read."""
    config = context.config
    home = config.home("kafka")
    options = [
        *context.java_options(),
        f"-Djava.io.tmpdir={home / 'tmp'}",
        f"-Dlog4j2.configurationFile={home / 'log4j2.properties'}",
        f"-Dingest.logs={config.logs('kafka')}",
        "-cp",
        ":".join(map(str, context.software.kafka_jars)),
        *arguments,
    ]
    file = write_file(home / f"{name}.arguments", render_arguments(options), context.account)
    return Launch(
        argv=(str(context.java / "bin" / "java"), f"@{file}"),
        environ=context.environ("kafka"),
        folder=home,
        console=config.console("kafka"),
    )
