import argparse
import json

import pytest

from ingest.commands import engines


@pytest.fixture
def command(tmp_path):
    """Run the command on a folder where nothing was ever started; its exit code."""
    top = argparse.ArgumentParser(prog="ingest")
    engines.register(top.add_subparsers())

    def command(*arguments):
        args = top.parse_args(["engines", *arguments, "--data-dir", str(tmp_path / "engines")])
        return args.run(args, None)

    return command


def test_engines_that_were_never_started_are_stopped(command, capsys):
    assert command("status") == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in lines[1:]] == [
        ["kafka", "stopped", "127.0.0.1:9092"],
        ["elasticsearch", "stopped", "http://127.0.0.1:9200"],
    ]


def test_the_status_as_json(command, capsys, tmp_path):
    assert command("status", "--json", "--kafka-port", "19092") == 1
    kafka, elasticsearch = json.loads(capsys.readouterr().out)
    assert elasticsearch["name"] == "elasticsearch"
    assert kafka == {
        "name": "kafka",
        "running": False,
        "answers": False,
        "address": "127.0.0.1:19092",
        "pid": None,
        "memory_bytes": 0,
        "log_dir": str(tmp_path / "engines" / "logs" / "kafka"),
    }


@pytest.mark.parametrize("action", ["stop", "reset"])
def test_ending_what_does_not_run_is_fine_and_makes_nothing(command, action, tmp_path, capsys):
    assert command(action) == 0
    assert "stopped" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "٣"])
def test_what_is_no_port_is_wrong_usage(command, port, capsys):
    with pytest.raises(SystemExit) as exit_:
        command("start", f"--kafka-port={port}")
    assert exit_.value.code == 2
    assert "is not a port, 1 to 65535" in capsys.readouterr().err


def test_its_help_has_an_example(capsys, command):
    with pytest.raises(SystemExit):
        command("--help")
    assert "ingest engines start" in capsys.readouterr().out
