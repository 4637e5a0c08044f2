import json

import pytest

from ingest import cli
from ingest.settings import catalog
from ingest.settings.writing import example


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_shows_every_setting_with_its_source(folder, capsys):
    (folder / "ingest.toml").write_text('[topics]\npartitions = 12\nretention_raw = "2d"\n')
    assert cli.main(["check-config"]) == 0
    out = capsys.readouterr().out
    lines = {line.split()[0]: line.split(maxsplit=1)[1] for line in out.splitlines()}
    assert {setting.name for setting in catalog()} <= set(lines)
    assert lines["topics.partitions"].split(maxsplit=1) == ["12", "file ingest.toml"]
    assert lines["topics.retention_raw"].split(maxsplit=1) == ['"2d"', "file ingest.toml"]
    assert lines["kafka.username"].split() == ["(not", "set)", "default"]
    assert out.endswith("The configuration is valid.\n")


def test_a_secret_never_shows(folder, monkeypatch, capsys):
    monkeypatch.setenv("INGEST_ELASTICSEARCH_PASSWORD", "canary")
    monkeypatch.setenv("INGEST_ELASTICSEARCH_USERNAME", "elastic")
    for flags in ([], ["--json"]):
        assert cli.main(["check-config", *flags]) == 0
        out = capsys.readouterr().out
        assert "***" in out
        assert "canary" not in out


def test_json_holds_values_sources_and_warnings(folder, capsys):
    (folder / "ingest.toml").write_text("[elasticsearch]\nretention_days = 30\n")
    assert cli.main(["check-config", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["settings"]["elasticsearch"]["retention_days"] == 30
    assert found["settings"]["topics"]["retention_dead"] == "30d"
    assert found["sources"]["elasticsearch.retention_days"] == "file ingest.toml"
    assert "late events would create deleted indices anew" in found["warnings"][0]


def test_warnings_are_shown_and_are_no_failure(folder, capsys):
    (folder / "ingest.toml").write_text("[elasticsearch]\nretention_days = 30\n")
    assert cli.main(["check-config"]) == 0
    out = capsys.readouterr().out
    assert "warning: timestamps.max_past" in out
    assert out.endswith("valid, with 1 warning.\n")


def test_a_wrong_setting_is_named_with_its_place(folder, capsys):
    (folder / "ingest.toml").write_text("[topics]\npartition = 3\n")
    assert cli.main(["check-config"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "ingest.toml: topics.partition is not a setting; did you mean partitions?" in err


def test_the_example_is_printed_whatever_the_configuration(folder, capsys):
    (folder / "ingest.toml").write_text("[")
    assert cli.main(["check-config", "--example"]) == 0
    assert capsys.readouterr().out == example()


@pytest.mark.parametrize("flags", [[], ["--json"]])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("keys_file = 'keys.toml'", "keys.toml: No such file"),
        ("cert_file = 'a.pem'\nkey_file = 'b.pem'", "gateway.cert_file, key_file"),
    ],
)
def test_what_the_gateway_could_not_start_with_is_wrong_too(folder, capsys, flags, text, words):
    (folder / "ingest.toml").write_text(f"[gateway]\n{text}\n")
    assert cli.main(["check-config", *flags]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
