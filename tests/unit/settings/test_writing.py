import tomllib
from pathlib import Path

import pytest

from ingest.settings import Secret, Settings, catalog, load
from ingest.settings.values import Bytes, Milliseconds, Seconds
from ingest.settings.writing import example, plain, toml, value_of

SHIPPED = Path(__file__).parents[3] / "examples" / "ingest.toml"


def test_the_shipped_example_is_what_the_code_writes():
    assert SHIPPED.read_text() == example()


def test_the_example_sets_every_key_that_has_a_default_to_it(tmp_path):
    file = tmp_path / "example.toml"
    file.write_text(example())
    loaded = load(file)
    written = tomllib.loads(example())
    for setting in catalog():
        assert value_of(loaded, setting) == value_of(Settings(), setting)
        assert (setting.key in written[setting.section]) is (setting.default is not None)


def test_the_example_names_and_describes_every_key():
    text = example()
    for setting in catalog():
        assert f"\n{setting.key} = " in text or f"\n#{setting.key} = " in text
        assert setting.is_table or setting.variable in text


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, ""),
        (True, "true"),
        (3000.0, "3000"),
        (0.5, "0.5"),
        (Milliseconds(604_800_000), '"7d"'),
        (Seconds(10), '"10s"'),
        (Bytes(5 * 1024**2), '"5MiB"'),
        (("a", "b"), '["a", "b"]'),
        ({"a b": "x", "c-d": "y"}, '{ "a b" = "x", c-d = "y" }'),
        ({}, "{}"),
        ('say "hi"\n', '"say \\"hi\\"\\n"'),
    ],
)
def test_a_value_is_written_as_a_user_would(value, written):
    assert toml(plain(value)) == written
    if written:
        tomllib.loads(f"key = {written}")


def test_a_secret_is_stars():
    assert toml(plain(Secret("canary"))) == '"***"'
