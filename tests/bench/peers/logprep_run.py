"""Logprep: this writes its configuration and becomes logprep.

Its times cannot be written with three decimals and a Z, so these have to be UTC already.
"""

import json
import os
import sys
from pathlib import Path

import sink


def calculation(target: str, formula: str, where: str) -> dict:
    """Make a rule that reckons a field."""
    return {"filter": where, "calculator": {"target_field": target, "calc": formula}}


def category(name: str, where: str, *tags: str) -> dict:
    """Make a rule for a range of latencies."""
    added = {"latency_category": name, **({"tags": list(tags)} if tags else {})}
    return {"filter": where, "generic_adder": {"add": added, "merge_with_target": True}}


def hundredths(value: str, by: str) -> str:
    """Divide, and round half up to two decimals."""
    return f"trunc(({value} * 200 + {by}) / ({by} * 2)) / 100"


ALL = "request_id"
COST = "round((${{input_tokens}} * {} + ${{output_tokens}} * {}) * 1000) / 1000000000"
RULES = {
    "dissector": [
        {"filter": ALL, "dissector": {"mapping": {"@timestamp": pattern}}}
        for pattern in ("%{hour_bucket}:%{}", "%{minute_bucket}:%{+(:)minute_bucket}:%{}")
    ],
    "calculator": [
        calculation("cost_usd", COST.format(2, 8), 'model: "gpt-4.1"'),
        calculation("cost_usd", COST.format(3, 15), 'model: "claude-sonnet-4-5"'),
        calculation(
            "tokens_per_second", hundredths("${output_tokens} * 1000", "${latency_ms}"), ALL
        ),
        calculation("compression_ratio", hundredths("${output_tokens}", "${input_tokens}"), ALL),
        calculation("total_tokens", "${input_tokens} + ${output_tokens}", ALL),
    ],
    "generic_adder": [
        {
            "filter": f'model: "{model}"',
            "generic_adder": {"add": {"tags": [f"model_{model}"]}},
        }
        for model in ("gpt-4.1", "claude-sonnet-4-5")
    ],
    "generic_adder#latency": [
        category("normal", "latency_ms: [0 TO 3000]"),
        category("warning", "latency_ms: {3000 TO 10000]", "medium_latency"),
        category("critical", "latency_ms: {10000 TO *}", "high_latency"),
    ],
}


def configuration() -> dict:
    """Fill in where events come from and go."""
    servers = os.environ["BENCH_BOOTSTRAP"]
    outputs = {
        "kafka": {
            "type": "confluentkafka_output",
            "topic": os.environ["BENCH_OUTPUT"],
            "kafka_config": {"bootstrap.servers": servers},
        }
    }
    return {
        "version": "1",
        "process_count": 1,
        "metrics": {"enabled": False},
        "logger": {"level": "WARNING"},
        "pipeline": [
            {name: {"type": name.partition("#")[0], "rules": rules}}
            for name, rules in RULES.items()
        ],
        "input": {
            "kafka": {
                "type": "confluentkafka_input",
                "topic": os.environ["BENCH_INPUT"],
                "kafka_config": {
                    "bootstrap.servers": servers,
                    "group.id": os.environ["BENCH_GROUP"],
                    "auto.offset.reset": "earliest",
                    "enable.auto.commit": "true",
                },
            }
        },
        "output": outputs,
    }


def main() -> None:
    """Write the configuration and run it."""
    if sink.URL:
        sys.exit("no output for Elasticsearch, for OpenSearch alone")
    Path("logprep.json").write_text(json.dumps(configuration()))
    os.execv(sys.executable, [sys.executable, "-m", "logprep.run_logprep", "run", "logprep.json"])


main()
