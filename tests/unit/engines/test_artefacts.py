import re

from ingest.engines.artefacts import load_pinned


def test_the_pinned_versions():
    pinned = load_pinned()
    assert pinned.elasticsearch.version == "8.19.21"
    assert pinned.elasticsearch.file_name == "elasticsearch-8.19.21.zip"
    broker = [jar for jar in pinned.kafka if ":kafka_2.13:" in jar.name]
    assert [jar.version for jar in broker] == ["4.3.1"]


def test_every_file_is_pinned_by_its_content():
    for artefact in load_pinned().all:
        assert re.fullmatch(r"[0-9a-f]{64}", artefact.sha256)
        assert artefact.size_bytes > 0


def test_no_two_files_share_a_name():
    names = [artefact.file_name for artefact in load_pinned().all]
    assert len(set(names)) == len(names)


def test_kafka_can_log():
    """SLF4J finds its binding, and the binding its Log4j, of one version."""
    log4j = {jar.version for jar in load_pinned().kafka if ".log4j:" in jar.name}
    names = {jar.name.split(":")[1] for jar in load_pinned().kafka}
    assert names >= {"log4j-core", "log4j-slf4j-impl"}
    assert len(log4j) == 1
