import argparse
import json

import pytest

from ingest.commands import schema
from schemas.json_schema import STRUCTS, json_schema


def parser():
    parser = argparse.ArgumentParser(prog="ingest")
    schema.register(parser.add_subparsers())
    return parser


@pytest.mark.parametrize("name", STRUCTS)
def test_it_prints_the_schema(name, capsys):
    args = parser().parse_args(["schema", name])
    assert args.run(args, None) == 0
    assert json.loads(capsys.readouterr().out) == json_schema(name)


def test_another_name_is_wrong_usage(capsys):
    with pytest.raises(SystemExit) as exit_:
        parser().parse_args(["schema", "cooked"])
    assert exit_.value.code == 2
    assert "raw" in capsys.readouterr().err


def test_its_help_has_an_example(capsys):
    with pytest.raises(SystemExit):
        parser().parse_args(["schema", "--help"])
    assert "ingest schema raw" in capsys.readouterr().out
