import os

import pytest

from ingest.engines.accounts import (
    Account,
    check_reachable,
    closed_folder,
    engine_account,
    make_folder,
    write_file,
)
from ingest.errors import EngineError

STRANGER = Account("stranger", uid=54_321, gid=54_321)


def test_engines_never_run_as_root():
    assert engine_account().uid != 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root's engines run as another user")
def test_an_ordinary_user_runs_the_engines_itself():
    assert engine_account().uid == os.geteuid()


def test_the_outermost_closed_folder_is_named(tmp_path):
    closed = tmp_path / "closed"
    (closed / "inner").mkdir(parents=True)
    for folder in (tmp_path, closed):
        folder.chmod(0o700)
    found = closed_folder(closed / "inner" / "not-there-yet", STRANGER)
    assert found is not None
    assert tmp_path.is_relative_to(found)


def test_what_the_account_cannot_reach_is_an_error_with_the_option(tmp_path):
    tmp_path.chmod(0o700)
    with pytest.raises(EngineError, match="choose another folder with --data-dir"):
        check_reachable(tmp_path / "engines", STRANGER, "--data-dir")


def test_its_owner_reaches_a_closed_folder(tmp_path, own_account):
    tmp_path.chmod(0o700)
    assert closed_folder(tmp_path, own_account) is None


def test_a_planted_link_is_not_taken_for_a_folder(tmp_path):
    (tmp_path / "real").mkdir(mode=0o755)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(OSError):
        make_folder(tmp_path / "link", mode=0o700)
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o755


def test_a_planted_link_is_replaced_and_not_written_through(tmp_path):
    (tmp_path / "real").write_text("kept")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_file(tmp_path / "link", "new")
    assert (tmp_path / "real").read_text() == "kept"
    assert (tmp_path / "link").read_text() == "new"
    assert not (tmp_path / "link").is_symlink()


def test_a_file_is_closed_to_others_unless_told(tmp_path):
    assert write_file(tmp_path / "secret", "x").stat().st_mode & 0o777 == 0o600
    assert write_file(tmp_path / "open", "x", mode=0o644).stat().st_mode & 0o777 == 0o644


def test_a_failed_write_keeps_the_old_file_and_leaves_no_other(tmp_path):
    write_file(tmp_path / "file", "old")
    with pytest.raises(UnicodeEncodeError):
        write_file(tmp_path / "file", "\ud800")
    assert (tmp_path / "file").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
