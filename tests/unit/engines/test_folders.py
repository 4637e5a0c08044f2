from pathlib import Path

import pytest

from ingest.engines.folders import default_cache_dir, default_data_dir, make_own_folder
from ingest.errors import EngineError


def test_the_cache_is_where_the_variable_says():
    assert default_cache_dir({"INGEST_ENGINE_CACHE": "/somewhere"}) == Path("/somewhere")


def test_data_and_downloads_lie_apart():
    data, cache = default_data_dir({}), default_cache_dir({})
    assert data.is_absolute()
    assert not data.is_relative_to(cache)
    assert not cache.is_relative_to(data)


def test_missing_folders_are_made_for_all_to_enter(tmp_path, own_account):
    make_own_folder(tmp_path / "a" / "b", own_account, "--data-dir")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o755


def test_an_existing_folder_keeps_its_mode(tmp_path, own_account):
    (tmp_path / "mine").mkdir(mode=0o700)
    make_own_folder(tmp_path / "mine", own_account, "--data-dir")
    assert (tmp_path / "mine").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o777, 0o1777])
def test_a_folder_that_others_can_write_to_is_refused(tmp_path, own_account, mode):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(mode)
    with pytest.raises(EngineError, match="can be changed by other users"):
        make_own_folder(tmp_path / "shared", own_account, "--data-dir")


def test_a_folder_in_one_where_others_could_replace_it_is_refused(tmp_path, own_account):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o777)
    with pytest.raises(EngineError, match="can be changed by other users"):
        make_own_folder(tmp_path / "shared" / "mine", own_account, "--data-dir")


def test_a_folder_in_the_systems_temporary_folder_is_fine(tmp_path, own_account):
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp").chmod(0o1777)
    make_own_folder(tmp_path / "tmp" / "mine", own_account, "--data-dir")


@pytest.mark.parametrize("name", ["my engines", "a:b", "it's"])
def test_names_the_engines_would_misread_are_refused(tmp_path, own_account, name):
    with pytest.raises(EngineError, match="misread"):
        make_own_folder(tmp_path / name, own_account, "--data-dir")
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_an_error(tmp_path, own_account):
    (tmp_path / "file").touch()
    with pytest.raises(EngineError, match="choose another folder with --data-dir"):
        make_own_folder(tmp_path / "file" / "engines", own_account, "--data-dir")
