"""Pin what local engines are made of: every file's coordinate, size and SHA-256.

Run it after changing a version below; the result is reviewed and committed.
"""

import hashlib
import tempfile
from pathlib import Path

from jgo.maven import Artifact, MavenContext

TARGET = Path(__file__).parent.parent / "ingest" / "engines" / "artefacts.toml"

KAFKA = "org.apache.kafka:kafka_2.13:4.3.1"
# Kafka logs through SLF4J 1.7; this binds it to the Log4j that Kafka depends on.
LOG_BINDING = "org.apache.logging.log4j:log4j-slf4j-impl"
LOG_CORE = ("org.apache.logging.log4j", "log4j-core")
ELASTICSEARCH = ("org.elasticsearch.distribution.integ-test-zip", "elasticsearch")
ELASTICSEARCH_VERSION = "8.19.21"

HEAD = """\
# The files local engines are made of. Written by scripts/lock_engines.py, do not edit.
"""


def kafka_jars(context: MavenContext) -> list[Artifact]:
    """Kafka's jar and all it needs to run."""
    broker, needed = context.resolver.resolve([context.create_dependency(KAFKA)])
    found = {dependency.artifact.key: dependency.artifact for dependency in [*broker, *needed]}
    log = next(a for a in found.values() if (a.groupId, a.artifactId) == LOG_CORE)
    binding = context.create_dependency(f"{LOG_BINDING}:{log.version}").artifact
    return sorted([*found.values(), binding], key=str)


def entry(artifact: Artifact) -> str:
    """One line of the file; downloads the artefact."""
    content = artifact.resolve().read_bytes()
    name = f"{artifact.groupId}:{artifact.artifactId}:{artifact.packaging}:{artifact.version}"
    digest = hashlib.sha256(content).hexdigest()
    return f'  {{ name = "{name}", size_bytes = {len(content)}, sha256 = "{digest}" }},\n'


def main() -> None:
    """Resolve, download, hash, write."""
    with tempfile.TemporaryDirectory() as folder:
        context = MavenContext(repo_cache=Path(folder), timeout=60)
        elasticsearch = context.project(*ELASTICSEARCH).at_version(ELASTICSEARCH_VERSION)
        engines = {
            "kafka": kafka_jars(context),
            "elasticsearch": [elasticsearch.artifact(packaging="zip")],
        }
        text = HEAD
        for engine, artifacts in engines.items():
            text += f"\n{engine} = [\n" + "".join(map(entry, artifacts)) + "]\n"
    TARGET.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
