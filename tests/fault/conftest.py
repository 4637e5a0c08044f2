"""Fault tests: real engines, real worker processes, things that go wrong, and one judge."""

import os
import random
import time
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from ingest.engines import Listener, free_port
from tests.fault.harness.secure_world import SecureWorld
from tests.fault.harness.table import Row, render
from tests.fault.harness.world import World
from tests.support.engines import Engines, own_engines

AnyWorld = TypeVar("AnyWorld", bound=World)

_ROWS = pytest.StashKey[list[Row]]()
_PASSED = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--minutes", type=float, help="run the soak test, for so long")


@pytest.fixture
def minutes(request: pytest.FixtureRequest) -> float:
    """How long the soak test runs; it is skipped where nobody says."""
    chosen = request.config.getoption("--minutes", default=None)
    if chosen is None:
        pytest.skip("only with --minutes")
    return float(chosen)


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    """A running Kafka and Elasticsearch that these tests may kill."""
    with own_engines(proxied=Listener(free_port(), free_port())) as running:
        yield running


@pytest.fixture(scope="session")
def secure_engines() -> Iterator[Engines]:
    """The same with TLS and users."""
    with own_engines(secure=True, prefixes=("f",)) as running:
        yield running


@pytest.fixture
def seed() -> int:
    """What decides the events and the moments of the faults; FAULT_SEED chooses it."""
    number = int(os.environ.get("FAULT_SEED") or random.SystemRandom().randrange(1_000_000))
    print(f"reproduce with FAULT_SEED={number}")
    return number


@pytest.fixture
def world(
    engines: Engines, tmp_path: Path, seed: int, request: pytest.FixtureRequest
) -> Iterator[World]:
    """A world of the test's own; its row is printed, and kept for the table at the end."""
    with _entered(World(engines, tmp_path, _prefix(), seed), request) as world:
        yield world


@pytest.fixture
def secure_world(
    secure_engines: Engines, tmp_path: Path, seed: int, request: pytest.FixtureRequest
) -> Iterator[SecureWorld]:
    """The same on engines with TLS and users."""
    with _entered(SecureWorld(secure_engines, tmp_path, _prefix(), seed), request) as world:
        yield world


def _prefix() -> str:
    return f"f{uuid.uuid4().hex[:10]}"


@contextmanager
def _entered(world: AnyWorld, request: pytest.FixtureRequest) -> Iterator[AnyWorld]:
    began_s = time.monotonic()
    try:
        world.open()
        yield world
    finally:
        world.close()
        row = Row(
            test=request.node.name,
            passed=request.node.stash.get(_PASSED, False),
            seed=world.seed,
            seconds=time.monotonic() - began_s,
            faults=world.faults,
            figures=world.figures,
            stood_s=world.stood_s,
            stop_s=world.stop_s,
        )
        request.config.stash.setdefault(_ROWS, []).append(row)
        print(*render([row]), sep="\n")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[_PASSED] = report.passed
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if {"engines", "secure_engines"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.engines)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if rows := config.stash.get(_ROWS, []):
        terminalreporter.section("fault tests")
        terminalreporter.write_line("\n".join(render(rows)))
