"""Files with bad lines, by both ways there are: the commands say what the pipeline then does."""

import json
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime

from tests.fault.harness.bad_inputs import CANARY, MIB, event
from tests.support.engines import ROOT

NOW = datetime.now(UTC).replace(microsecond=0)
LINES = (
    (b"\xef\xbb\xbf" + event(NOW), "invalid_json"),  # a mark of the byte order
    (event(NOW, '"request_id":"a"'), "document"),
    (b"", None),
    (b" \t\r", None),
    (b'{"model":"%s' % CANARY.encode(), "invalid_json"),
    (b'{"a":1}{"b":2}', "invalid_json"),
    (b"[1]", "not_object"),
    (b'{"a":"\xff"}', "invalid_utf8"),
    (b'{"a":"%s"}' % (b"x" * MIB), "too_large"),
    ("{}".encode("utf-16-le"), "invalid_json"),
    (event(NOW, '"request_id":"b"'), "document"),
)
EXPECTED = Counter(what for _, what in LINES if what)


def ingest(world, *argv):
    command = [sys.executable, "-m", "ingest", *argv, "--config", str(world.config)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60, check=False)


def test_rows_3_5_6_15_bad_lines_of_a_file_are_told_apart_alike_by_enrich_and_by_the_workers(
    world, tmp_path
):
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join(line for line, _ in LINES))  # and no newline at the end
    told = [json.loads(line) for line in ingest(world, "enrich", str(file)).stdout.splitlines()]
    assert Counter(map(what_of, told)) == EXPECTED
    sent = ingest(world, "produce", str(file), "--json")
    assert json.loads(sent.stdout)["confirmed"] == EXPECTED.total()
    assert CANARY.encode() not in sent.stdout + sent.stderr
    world.start_worker()
    seen = world.look()
    letters = [json.loads(r.value) for r in world.read(world.settings.topics.dead)]
    found = Counter(letter["reason"] for letter in letters) + Counter(document=len(seen.stored))
    assert found == EXPECTED


def what_of(line):
    """Name the outcome in a line of `ingest enrich`."""
    return "document" if line["kind"] == "document" else line["dead"]["reason"]


def test_row_15_a_file_in_utf_16_holds_no_event(world, tmp_path):
    file = tmp_path / "events.jsonl"
    file.write_text(event(NOW).decode() + "\n", encoding="utf-16")
    told = ingest(world, "enrich", str(file))
    assert told.returncode == 0
    kinds = {json.loads(line)["kind"] for line in told.stdout.splitlines()}
    assert kinds == {"dead"}
