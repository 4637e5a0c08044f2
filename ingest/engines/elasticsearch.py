"""One Elasticsearch node: its files, its command, its answer."""

import base64
import json
import ssl
from http.client import HTTPException
from typing import Any
from urllib.request import Request, urlopen

from ingest.engines.accounts import make_folder, write_file
from ingest.engines.config import HOST, Addresses, EngineConfig
from ingest.engines.elasticsearch_security import (
    certificate_files,
    secure_settings,
    user_files,
)
from ingest.engines.launching import Context
from ingest.engines.ports import free_port
from ingest.engines.processes import Launch

_PATIENCE_S = 3.0
# As shipped: how its processes are run, logged, and what its tools expect to find.
_SHIPPED = ("jvm.options", "log4j2.properties", "role_mapping.yml")


def node_settings(config: EngineConfig, transport_port: int) -> dict[str, Any]:
    """The settings of a single node that only this machine reaches."""
    return {
        "cluster.name": "ingest",
        "node.name": "local",
        "discovery.type": "single-node",
        "network.host": HOST,
        "http.port": config.elasticsearch_port,
        "transport.port": transport_port,
        "path.data": str(config.home("elasticsearch") / "data"),
        "path.logs": str(config.logs("elasticsearch")),
        # A developer's disk is often nearly full; nothing here is kept for long.
        "cluster.routing.allocation.disk.threshold_enabled": False,
        **(secure_settings() if config.secure else {"xpack.security.enabled": False}),
        **config.elasticsearch_settings,
    }


def prepare(context: Context) -> Launch:
    """Write the node's files and return its command."""
    config, account = context.config, context.account
    program = context.software.elasticsearch
    home = context.make_home("elasticsearch")
    temporary = home / "tmp"
    make_folder(home / "data", account, 0o700)
    settings = make_folder(home / "config", account, 0o700)
    for name, text in _settings_files(context).items():
        write_file(settings / name, text, account)
    return Launch(
        argv=(str(program / "bin" / "elasticsearch"),),
        environ=context.environ(
            "elasticsearch",
            ES_JAVA_HOME=str(context.java),
            ES_PATH_CONF=str(settings),
            ES_TMPDIR=str(temporary),
            ES_JAVA_OPTS=" ".join(
                # The shipped options keep gigabytes of garbage collector logs and heap dumps.
                [*context.java_options(), "-Xlog:disable", "-XX:-HeapDumpOnOutOfMemoryError"]
            ),
            # The launcher works for a second only.
            CLI_JAVA_OPTS=f"-XX:TieredStopAtLevel=1 -XX:-UsePerfData -Djava.io.tmpdir={temporary}",
        ),
        folder=home,
        console=config.console("elasticsearch"),
    )


def answers(addresses: Addresses) -> bool:
    """Whether a client is served: the node has elected itself and every index can be used."""
    request = Request(  # noqa: S310 - our own address
        f"{addresses.elasticsearch_url}/_cluster/health?wait_for_status=yellow&timeout=1s"
    )
    context = None
    if addresses.credentials is not None:
        admin = addresses.credentials.elasticsearch_admin
        login = base64.b64encode(f"{admin.username}:{admin.password}".encode()).decode()
        request.add_header("Authorization", f"Basic {login}")
        context = ssl.create_default_context(cafile=addresses.ca_file)
    try:
        with urlopen(request, timeout=_PATIENCE_S, context=context) as response:  # noqa: S310 - ours
            return bool(response.status == 200)
    except (OSError, HTTPException):
        return False


def _settings_files(context: Context) -> dict[str, str]:
    """File names and contents of its configuration folder."""
    config = context.config
    shipped = context.software.elasticsearch / "config"
    # JSON is YAML.
    settings = json.dumps(node_settings(config, free_port()), indent=2) + "\n"
    files = {name: (shipped / name).read_text("utf-8") for name in _SHIPPED}
    files["elasticsearch.yml"] = settings
    if context.secrets is not None:
        files |= certificate_files(context.secrets.certificates)
        files |= user_files(context.secrets.credentials, config.prefixes)
    return files
