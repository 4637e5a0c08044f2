"""How far behind each role is, as `ingest doctor` tells it."""

import json
import subprocess
import sys


def doctor(world):
    """Run it; return the sentences about the roles, and how many records each has to process."""
    command = [sys.executable, "-m", "ingest", "doctor", "--json", "--config", str(world.config)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    body = json.loads(done.stdout)
    told = {finding["what"] for finding in body["findings"]}
    lag = dict.fromkeys(("enrich", "index"), 0)
    for row in body["lag"]:
        lag[row["role"]] += row["lag"]
        assert (row["oldest_unprocessed_seconds"] is None) is (row["lag"] == 0)
    return told, lag


def test_the_role_that_nobody_runs_falls_behind_and_catches_up(world):
    world.start_worker("--role", "enrich")
    world.send(500)
    world.wait_until_done("enrich")
    told, lag = doctor(world)
    assert "enrich: 1 replica, 0 records to process" in told
    assert lag["enrich"] == 0
    assert f"index: 0 replicas, {lag['index']} records to process" in told
    assert lag["index"] > 400  # what is no event never comes to it

    world.start_worker("--role", "index")
    world.wait_until_done("index")
    _, lag = doctor(world)
    assert lag == {"enrich": 0, "index": 0}
