import pytest

from ingest.errors import Unavailable
from ingest.settings import Bytes, FilePath, Milliseconds, Seconds, Secret


@pytest.mark.parametrize(
    ("written", "milliseconds"),
    [
        ("0s", 0),
        ("500ms", 500),
        ("10s", 10_000),
        ("5 m", 300_000),
        ("1h", 3_600_000),
        ("30d", 2_592_000_000),
        ("36500d", 3_153_600_000_000),
    ],
)
def test_times_have_a_unit(written, milliseconds):
    assert Milliseconds.parse(written) == milliseconds
    assert Seconds.parse(written) == milliseconds / 1_000


@pytest.mark.parametrize(
    "written",
    [
        "",
        "10",
        "s",
        "-1s",
        "1.5s",
        "1S",
        "1 w",
        "36501d",
        "9999999999999s",
        10,
        None,
        True,
        "\u0661s",
    ],
)
def test_what_is_no_time_is_refused(written):
    with pytest.raises(ValueError):
        Milliseconds.parse(written)


@pytest.mark.parametrize(
    ("written", "size"),
    [("0", 0), ("1048576", 1_048_576), (17, 17), ("512KiB", 524_288), ("5MiB", 5_242_880)],
)
def test_sizes_may_have_a_unit(written, size):
    assert Bytes.parse(written) == size


@pytest.mark.parametrize(
    "written", ["", "5MB", "5mib", "-1", -1, 1.5, True, None, "1025GiB", "\u0661"]
)
def test_what_is_no_size_is_refused(written):
    with pytest.raises(ValueError):
        Bytes.parse(written)


@pytest.mark.parametrize("text", ["0ms", "1ms", "90s", "5m", "36h", "7d"])
def test_a_time_is_written_as_it_was_read(text):
    assert Milliseconds.parse(text).written == text
    assert Seconds.parse(text).written == text


@pytest.mark.parametrize("text", ["0B", "1023B", "1KiB", "5MiB", "1GiB"])
def test_a_size_is_written_as_it_was_read(text):
    assert Bytes.parse(text).written == text


@pytest.mark.parametrize("written", ["", 3, None])
def test_a_path_is_a_text(written):
    with pytest.raises(ValueError):
        FilePath.parse(written)


def test_an_absolute_path_stays(tmp_path):
    assert FilePath.parse("/a/b", tmp_path) == "/a/b"
    assert FilePath.parse("b", tmp_path) == str(tmp_path / "b")


def test_a_secret_is_shown_as_stars():
    secret = Secret("hunter2")
    assert f"{secret} {secret!r} {[secret]}" == "*** *** [***]"
    assert secret.reveal() == "hunter2"


def test_secrets_are_equal_by_what_they_hold():
    assert Secret("a") == Secret("a")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != Secret("b")
    assert Secret("a") != Secret(file="a")
    assert Secret("a") != "a"


def test_a_secrets_file_that_is_no_text_is_not_shown(tmp_path):
    path = tmp_path / "secret"
    path.write_bytes(b"hunter\xff")
    with pytest.raises(Unavailable) as error:
        Secret(file=str(path)).reveal()
    assert "not UTF-8" in str(error.value)
    assert "hunter" not in str(error.value)
