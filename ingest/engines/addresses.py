"""Where clients find the engines of a data folder, and how they log in."""

from ingest.engines.config import HOST, Addresses, EngineConfig, EngineName
from ingest.engines.secrets import authority_file, read_credentials
from ingest.engines.state import current_state


def addresses(config: EngineConfig) -> Addresses:
    """Say where the engines listen, or would if they were started now.

    Raises EngineError where secure engines belong to another user.
    """
    state = current_state(config)

    def port(name: EngineName) -> int:
        return state.engines[name].port if name in state.engines else config.port(name)

    bootstrap, http = f"{HOST}:{port('kafka')}", f"{HOST}:{port('elasticsearch')}"
    if not state.secure:
        return Addresses(bootstrap=bootstrap, elasticsearch_url=f"http://{http}")
    return Addresses(
        bootstrap=bootstrap,
        elasticsearch_url=f"https://{http}",
        ca_file=authority_file(config),
        credentials_file=config.credentials_file,
        credentials=read_credentials(config),
    )
