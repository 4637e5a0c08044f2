import os
import stat

import pytest

from ingest.adapters import bulk_cache
from ingest.adapters.bulk_cache import KEPT_S, LOOK_S, MOST_FILES, BulkCache, open_folder
from ingest.pipeline.ready_bulks import ReadyBulk

BULK = ReadyBulk({"llm-requests-2026.07.01": 3}, 900, b"{}", b"x" * 100)
MAX_BYTES = 1_000


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
def descriptor(tmp_path):
    descriptor = open_folder(tmp_path)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def folder(tmp_path, descriptor):
    [folder] = tmp_path.iterdir()
    return folder


@pytest.fixture
def cache(descriptor, clock):
    return BulkCache(descriptor, MAX_BYTES)


def files(folder):
    return sorted(folder.iterdir())


def fill(cache, folder, clock):
    """Keep bulks, all of now, until there is no room; returns how many."""
    for count in range(MAX_BYTES):
        if not cache.has_room():
            for file in files(folder):
                os.utime(file, (clock.now_s, clock.now_s))
            return count
        cache.keep(b"records %d" % count, BULK)
    raise AssertionError("there is always room")


def test_what_is_kept_is_found_once_under_the_same_records_by_another(folder, cache, descriptor):
    other = BulkCache(descriptor, MAX_BYTES)
    cache.keep(memoryview(b"records"), BULK)
    [file] = files(folder)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert other.take(b"other records") is None
    assert other.take(bytearray(b"records")) == BULK
    assert other.take(b"records") is None
    assert files(folder) == []


def test_the_folder_is_this_users_alone(folder):
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert folder.name.endswith(f"-{os.getuid()}")


@pytest.mark.parametrize("mode", [0o770, 0o750, 0o705, 0o701])
def test_a_folder_that_others_may_enter_is_not_used(tmp_path, folder, caplog, mode):
    folder.chmod(mode)
    assert open_folder(tmp_path) is None
    assert [record.message for record in caplog.records] == ["bulk_cache_off"]


def test_a_folder_of_somebody_else_is_not_used(tmp_path, folder, monkeypatch):
    uid = os.getuid()
    folder.rename(folder.with_name(f"ingest-bulks-{uid + 1}"))
    monkeypatch.setattr(os, "getuid", lambda: uid + 1)
    assert open_folder(tmp_path) is None


def test_a_link_that_somebody_has_put_there_is_not_followed(tmp_path, folder):
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    assert open_folder(tmp_path) is None


def test_a_file_in_its_place_is_no_folder(tmp_path, folder):
    folder.rmdir()
    folder.touch(mode=0o600)
    assert open_folder(tmp_path) is None


def test_without_shared_memory_there_is_no_cache(tmp_path):
    assert open_folder(tmp_path / "absent") is None


def test_what_stands_under_its_name_later_does_not_matter(tmp_path, folder, cache):
    folder.rmdir()
    folder.mkdir()
    cache.keep(b"records", BULK)
    assert files(folder) == []
    assert cache.take(b"records") is None


def test_it_takes_no_more_than_it_may(cache, folder, clock):
    count = fill(cache, folder, clock)
    size = sum(file.stat().st_size for file in files(folder))
    assert count == len(files(folder)) > 1
    assert MAX_BYTES <= size < MAX_BYTES + size / count + 1


def test_what_others_keep_counts_too(cache, folder, clock, descriptor):
    fill(cache, folder, clock)
    assert not BulkCache(descriptor, MAX_BYTES).has_room()
    assert BulkCache(descriptor, 2 * MAX_BYTES).has_room()


def test_very_many_files_are_too_many(cache, folder):
    for number in range(MOST_FILES):
        (folder / f"{number}").touch()
    assert not cache.has_room()


def test_what_was_taken_makes_room_at_the_next_look(cache, folder, clock):
    count = fill(cache, folder, clock)
    for number in range(count):
        assert cache.take(b"records %d" % number)
    assert not cache.has_room()
    clock.now_s += LOOK_S
    assert fill(cache, folder, clock) == count


def test_what_nobody_takes_is_removed_in_the_end(cache, folder, clock):
    count = fill(cache, folder, clock)
    clock.now_s += KEPT_S
    assert not cache.has_room()
    assert len(files(folder)) == count
    clock.now_s += LOOK_S
    assert cache.has_room()
    assert files(folder) == []


def test_it_is_removed_while_there_is_room_too_whoever_left_it(cache, folder, clock):
    half = folder / "half.123"
    half.write_bytes(b"half")
    os.utime(half, (clock.now_s - KEPT_S - 1, clock.now_s - KEPT_S - 1))
    assert cache.has_room()
    assert files(folder) == []


def test_what_is_no_file_stays_and_does_not_matter(cache, folder, clock):
    (folder / "folder").mkdir()
    os.utime(folder / "folder", (0, 0))
    assert fill(cache, folder, clock) > 1
    assert (folder / "folder").exists()


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\xc1",
        b"x" * 50,
        b"\x84\xa9documents\x81\xa1\xff\x01",  # a name that is no text
        b"\x81\xa1x" + b"\x91" * 100_000,  # nested without end
    ],
)
def test_what_is_damaged_is_as_good_as_not_there(cache, folder, damage):
    cache.keep(b"records", BULK)
    [file] = files(folder)
    file.write_bytes(damage)
    assert cache.take(b"records") is None


def test_a_link_in_the_folder_is_not_followed(cache, folder, tmp_path):
    cache.keep(b"records", BULK)
    [file] = files(folder)
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    assert cache.take(b"records") is None


def test_where_nothing_can_be_written_nothing_is_made_for_a_while(cache, folder, clock):
    assert cache.has_room()
    folder.rmdir()
    cache.keep(b"records", BULK)
    assert not cache.has_room()
    clock.now_s += LOOK_S
    assert cache.has_room()


def test_half_a_file_is_never_found_and_does_not_stay(cache, folder, monkeypatch):
    """A full device is met by the writing, not by the opening."""
    seen = []

    def full(*_args, **_kwargs):
        seen.append([cache.take(b"records"), len(files(folder))])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    cache.keep(b"records", BULK)
    assert seen == [[None, 1]]
    assert files(folder) == []
