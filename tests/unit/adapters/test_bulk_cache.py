import os
import stat
from pathlib import Path

import pytest

from ingest.adapters import bulk_cache
from ingest.adapters.bulk_cache import KEPT_S, LOOK_S, BulkCache, open_folder
from ingest.pipeline.ready_bulks import ReadyBulk

BULK = ReadyBulk({"llm-requests-2026.07.01": 3}, 900, b"{}", b"x" * 100)


class Clock:
    now_s = 1_000.0

    def monotonic(self):
        return self.now_s

    def time(self):
        return self.now_s


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(bulk_cache, "time", clock)
    return clock


@pytest.fixture
def folder(tmp_path):
    return Path(open_folder(tmp_path))


@pytest.fixture
def cache(folder, clock):
    return BulkCache(str(folder), 1_000)


def files(folder):
    return sorted(folder.iterdir())


def fill(cache):
    count = 0
    while cache.has_room():
        cache.keep(b"records %d" % count, BULK)
        count += 1
    return count


def test_what_is_kept_is_found_once_under_the_same_records_by_another_process(folder, cache):
    other = BulkCache(str(folder), 1_000)
    cache.keep(memoryview(b"records"), BULK)
    assert other.take(b"other records") is None
    assert other.take(bytearray(b"records")) == BULK
    assert other.take(b"records") is None
    assert files(folder) == []


def test_the_folder_is_this_users_alone(folder):
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert folder.name.endswith(f"-{os.getuid()}")


def test_a_folder_that_others_may_write_to_is_not_used(tmp_path, folder, caplog):
    folder.chmod(0o770)
    assert open_folder(tmp_path) == ""
    assert [record.message for record in caplog.records] == ["bulk_cache_off"]


def test_a_link_that_somebody_has_put_there_is_not_followed(tmp_path, folder):
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    assert open_folder(tmp_path) == ""


def test_without_shared_memory_there_is_no_cache(tmp_path):
    assert open_folder(tmp_path / "absent") == ""


def test_it_takes_no_more_than_it_may(cache, folder):
    count = fill(cache)
    size = sum(file.stat().st_size for file in files(folder))
    assert count > 1
    assert 1_000 <= size < 1_000 + size / count + 1


def test_what_was_taken_makes_room_at_the_next_look(cache, folder, clock):
    count = fill(cache)
    other = BulkCache(str(folder), 1_000)
    for number in range(count):
        assert other.take(b"records %d" % number)
    assert not cache.has_room()
    clock.now_s += LOOK_S
    assert cache.has_room()
    assert fill(cache) == count


def test_what_nobody_takes_is_let_go_in_the_end(cache, folder, clock):
    count = fill(cache)
    clock.now_s += KEPT_S
    assert not cache.has_room()
    assert len(files(folder)) == count
    clock.now_s += LOOK_S
    assert cache.has_room()
    assert files(folder) == []


def test_what_a_killed_process_left_is_swept_at_the_next_start(tmp_path, folder, cache, clock):
    fill(cache)
    (folder / "half.new").write_bytes(b"half")
    for file in files(folder):
        os.utime(file, (clock.now_s, clock.now_s))
    clock.now_s += KEPT_S
    assert open_folder(tmp_path) == str(folder)
    assert files(folder) != []
    clock.now_s += 1
    assert open_folder(tmp_path) == str(folder)
    assert files(folder) == []


@pytest.mark.parametrize("damage", [b"", b"\xc1", b"x" * 50])
def test_what_is_damaged_is_as_good_as_not_there(cache, folder, damage):
    cache.keep(b"records", BULK)
    [file] = files(folder)
    file.write_bytes(damage)
    assert cache.take(b"records") is None


def test_where_nothing_can_be_written_nothing_is_kept_and_nothing_made_for_a_while(
    cache, folder, clock
):
    assert fill(cache)  # so that it has just looked
    clock.now_s += LOOK_S
    assert not cache.has_room()
    for file in files(folder):
        file.unlink()
    clock.now_s += LOOK_S
    assert cache.has_room()
    folder.rmdir()
    cache.keep(b"records", BULK)
    assert not cache.has_room()
    folder.mkdir()
    clock.now_s += LOOK_S
    assert cache.has_room()
    cache.keep(b"records", BULK)
    assert cache.take(b"records") == BULK
