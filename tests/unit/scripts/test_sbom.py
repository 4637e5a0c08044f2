from importlib.metadata import version
from pathlib import Path

from scripts.sbom import LOCKED, bill


def test_it_lists_every_locked_package_once():
    text = Path(LOCKED).read_text("utf-8")
    components = bill(text, "1.0")["components"]
    pins = [line for line in text.splitlines() if "==" in line]
    assert len(components) == len(pins) > 20
    assert len({component["purl"] for component in components}) == len(pins)


def test_a_package_of_some_platforms_says_so():
    (component,) = bill("colorama==0.4.6 ; sys_platform == 'win32' \\\n    --hash=…\n", "1")[
        "components"
    ]
    assert component["purl"] == "pkg:pypi/colorama@0.4.6"
    assert component["properties"] == [{"name": "marker", "value": "sys_platform == 'win32'"}]


def test_what_runs_here_is_what_the_bill_says():
    components = bill(Path(LOCKED).read_text("utf-8"), "1.0")["components"]
    pinned = {component["name"]: component["version"] for component in components}
    for name in ("faust-streaming", "aiokafka", "elasticsearch", "msgspec"):
        assert pinned[name] == version(name)
