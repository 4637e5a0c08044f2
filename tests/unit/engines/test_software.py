import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from ingest.engines.accounts import Account
from ingest.engines.artefacts import Artefact, Pinned
from ingest.engines.software import prepare_software
from ingest.errors import EngineError

UNREACHABLE = "http://127.0.0.1:1"


@pytest.fixture
def cache(tmp_path):
    folder = tmp_path / "cache"
    folder.mkdir()
    return folder


@pytest.fixture
def pinned(cache):
    """Two files, already in the cache; nothing can be fetched."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("elastic-1.0/bin/run", "#!/bin/sh\n")
        file.writestr("elastic-1.0/lib/a.jar", "jar")
        file.writestr("elastic-1.0/plugins/", "")
    return Pinned(
        kafka=(put(cache, "g:broker:jar:1.0", b"broker"),),
        elasticsearch=put(cache, "g:elastic:zip:1.0", archive.getvalue()),
        repository=UNREACHABLE,
    )


def put(cache: Path, name: str, content: bytes) -> Artefact:
    artefact = Artefact(name, len(content), hashlib.sha256(content).hexdigest())
    (cache / artefact.file_name).write_bytes(content)
    return artefact


@pytest.fixture
def prepare(pinned, cache, own_account):
    def prepare():
        told = []
        return prepare_software(pinned, cache, own_account, told.append), told

    return prepare


def test_what_is_cached_is_not_fetched_again(prepare, cache):
    software, _ = prepare()
    assert software.kafka_jars == (cache / "broker-1.0.jar",)
    assert software.elasticsearch == cache / "elastic-1.0"
    assert (software.elasticsearch / "plugins").is_dir()


def test_only_programs_can_be_run_and_all_can_be_read(prepare):
    home = prepare()[0].elasticsearch
    assert (home / "bin" / "run").stat().st_mode & 0o777 == 0o755
    assert (home / "lib" / "a.jar").stat().st_mode & 0o777 == 0o644


def test_it_is_unpacked_once(prepare):
    assert prepare()[1] == ["unpacking Elasticsearch"]
    assert prepare()[1] == []


def change(home):
    (home / "lib" / "a.jar").write_text("JAR")


def remove(home):
    (home / "lib" / "a.jar").unlink()


def add(home):
    (home / "lib" / "more.jar").write_text("jar")


def link(home):
    (home / "lib" / "a.jar").unlink()
    (home / "lib" / "a.jar").symlink_to("/nowhere")


@pytest.mark.parametrize("damage", [change, remove, add, link])
def test_a_changed_folder_is_unpacked_anew(prepare, damage):
    home = prepare()[0].elasticsearch
    damage(home)
    assert prepare()[1] == ["unpacking Elasticsearch"]
    assert {str(p.relative_to(home)) for p in home.rglob("*") if not p.is_dir()} == {
        "bin/run",
        "lib/a.jar",
    }
    assert (home / "lib" / "a.jar").read_text() == "jar"


def test_what_a_killed_command_left_is_removed(prepare, cache):
    (cache / "unfinished" / "elastic-1.0" / "lib").mkdir(parents=True)
    (cache / "unfinished" / "half.jar").write_text("ha")
    prepare()
    assert not (cache / "unfinished").exists()


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"broKer")])
def test_a_missing_or_changed_file_is_fetched_and_not_started(prepare, cache, damage):
    damage(cache / "broker-1.0.jar")
    with pytest.raises(EngineError, match="cannot download g:broker:jar"):
        prepare()


def test_a_cache_that_others_can_write_to_is_refused(prepare, cache):
    cache.chmod(0o777)
    with pytest.raises(EngineError, match="can be changed by other users"):
        prepare()


def test_an_account_that_cannot_reach_the_cache_is_told_which_folder(pinned, tmp_path, cache):
    tmp_path.chmod(0o700)
    stranger = Account("stranger", uid=54_321, gid=54_321)
    with pytest.raises(EngineError, match=r"user stranger, who may not enter"):
        prepare_software(pinned, cache, stranger, lambda text: None)
