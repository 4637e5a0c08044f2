import argparse
from pathlib import Path

import pytest

from ingest.commands import demo
from ingest.commands.demo_stage import Stage
from ingest.commands.demo_view import Steps, show_checks, show_end
from ingest.demo.expected import Check
from ingest.engines import Addresses
from ingest.errors import EngineError, UsageError
from ingest.settings import Settings

ADDRESSES = Addresses(bootstrap="127.0.0.1:9092", elasticsearch_url="http://127.0.0.1:9200")


def parse(*argv):
    parser = argparse.ArgumentParser(prog="ingest")
    demo.register(parser.add_subparsers())
    return parser.parse_args(["demo", *argv])


@pytest.fixture
def stage(tmp_path):
    return Stage(tmp_path, {}, print)


def test_the_whole_trace_is_the_default():
    args = parse()
    assert args.events == 8_819
    assert not args.keep
    assert not args.stop


def test_the_users_configuration_is_not_even_read():
    assert parse().defaults_only


def test_more_than_the_trace_has_is_wrong_usage():
    with pytest.raises(UsageError, match="8,819"):
        demo.run(parse("--events", "8820"), Settings())


def test_its_help_says_how_to_stop(capsys):
    with pytest.raises(SystemExit):
        parse("--help")
    assert "ingest demo --stop" in capsys.readouterr().out


def test_the_engines_of_the_demo_are_not_those_of_the_user():
    environ = {"XDG_CACHE_HOME": "/somewhere"}
    folder = Stage(None, environ, print).folder
    assert folder.name == "demo"
    assert Stage(None, environ, print).is_default


def test_another_folder_is_made_absolute():
    assert Stage(Path("here"), {}, print).folder == Path.cwd() / "here"


def test_engines_that_are_not_the_demos_are_never_emptied(stage):
    (stage.folder / "state.json").write_text("{}")
    with pytest.raises(EngineError, match="--data-dir"), stage.alone():
        pass


def test_stopping_where_nothing_runs_is_fine(stage):
    stage.stop()


def test_a_worker_that_was_never_started_is_not_missed(stage):
    stage.check_worker()
    stage.stop_worker()
    stage.drain_worker()


def test_steps_show_the_time_since_the_beginning(capsys):
    moments = iter([100.0, 112.34])
    tell = Steps(lambda: next(moments))
    tell("something")
    assert capsys.readouterr().out == "  12.3 s  something\n"


def test_right_figures_are_shown_as_right(capsys):
    show_checks([Check("requests", 9_149, 9_149)])
    assert "  right  requests                   9,149\n" in capsys.readouterr().out


def test_a_wrong_figure_is_shown_beside_the_right_one(capsys):
    show_checks([Check("requests", 9_149, 9_148)])
    out = capsys.readouterr().out
    assert "  WRONG  requests                   9,148 instead of 9,149\n" in out
    assert "right " not in out


def test_the_end_names_addresses_and_three_commands(stage, capsys):
    show_end(stage, ADDRESSES, kept=False)
    out = capsys.readouterr().out
    assert "127.0.0.1:9092  (stopped)" in out
    assert f"demo --keep --data-dir {stage.folder}" in out
    assert out.count(f"--config {stage.config_file}") == 3


def test_kept_it_says_how_to_stop(stage, capsys):
    show_end(stage, ADDRESSES, kept=True)
    out = capsys.readouterr().out
    assert "stopped" not in out
    assert f"demo --stop --data-dir {stage.folder}" in out
