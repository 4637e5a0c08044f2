import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from ingest import cli
from ingest.adapters.elasticsearch import connect, request


@pytest.fixture
def retain(engines, prefix, monkeypatch, tmp_path, capsys):
    """Run `ingest retain`; return its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INGEST_ELASTICSEARCH_URL", engines.addresses.elasticsearch_url)
    monkeypatch.setenv("INGEST_ELASTICSEARCH_INDEX_PREFIX", prefix)
    monkeypatch.setenv("INGEST_ELASTICSEARCH_RETENTION_DAYS", "10")

    def call(*options):
        code = cli.main(["retain", *options])
        return code, capsys.readouterr().out

    return call


@pytest.fixture
def cluster(engines, prefix):
    """Ask the cluster; what the test leaves there of ours is removed."""

    def ask(method, path, body=None):
        async def asked():
            async with connect(engines.elasticsearch) as client:
                return await request(client, method, path, body)

        return asyncio.run(asked())

    yield ask
    for name in ask("GET", f"/{prefix}*,payroll-{prefix}") or {}:
        ask("DELETE", f"/{name}")


def day(ago):
    return f"{datetime.now(UTC).date() - timedelta(days=ago):%Y.%m.%d}"


def test_old_days_go_and_everything_else_stays(cluster, retain, prefix):
    old = [f"{prefix}-{day(40)}", f"{prefix}-{day(11)}"]
    kept = [
        f"{prefix}-{day(10)}",
        f"{prefix}-{day(0)}",
        f"{prefix}-archive",
        f"{prefix}-us-{day(40)}",
    ]
    for name in [*old, *kept, f"payroll-{prefix}"]:
        cluster("PUT", f"/{name}")
    cluster("POST", f"/{old[0]}/_close")
    cluster("PUT", f"/payroll-{prefix}/_alias/{prefix}-{day(50)}")

    would = "".join(f"would delete index {name}\n" for name in old)
    assert retain("--dry-run") == (0, would)
    assert retain("--dry-run", "--json") == (
        0,
        json.dumps({"dry_run": True, "deleted": old}, indent=2) + "\n",
    )
    assert retain() == (0, "".join(f"deleted index {name}\n" for name in old))
    assert set(cluster("GET", f"/{prefix}*,payroll-{prefix}")) == {*kept, f"payroll-{prefix}"}
    assert retain() == (0, "Nothing to delete.\n")
