"""The answer table of the delivery contract, row by row."""

import pytest

from ingest.core import Dead
from ingest.pipeline.answers import (
    CREATED,
    STALE,
    UPDATED,
    Action,
    Verdict,
    count_finals,
    dead_of,
    judge,
    judge_item,
    judge_whole,
    retry_cause,
)
from ingest.pipeline.ports import Items, Unknown, Whole, Written
from tests.support.fakes import refusal

SHARDS = (
    "Validation Failed: 1: this action would add [2] shards, but this cluster currently has "
    "[1000]/[1000] maximum normal shards open;"
)
CONFLICT = "version_conflict_engine_exception"


@pytest.mark.parametrize(
    ("answer", "action"),
    [
        ({"status": 200}, Action.FINAL),
        ({"status": 201}, Action.FINAL),
        (refusal(409, CONFLICT), Action.STALE),
        (refusal(429, "es_rejected_execution_exception"), Action.RETRY),
        (refusal(429, "circuit_breaking_exception"), Action.RETRY),
        (refusal(429, "cluster_block_exception", "flood-stage watermark"), Action.PAUSE),
        (refusal(500, "null_pointer_exception"), Action.RETRY),
        (refusal(502, "bad_gateway"), Action.RETRY),
        (refusal(503, "unavailable_shards_exception"), Action.RETRY),
        (refusal(503, "cluster_block_exception", "no master"), Action.RETRY),
        (refusal(504, "process_cluster_event_timeout_exception"), Action.RETRY),
        (refusal(507, "insufficient_storage"), Action.RETRY),
        (refusal(408, "request_timeout"), Action.RETRY),
        (refusal(400, "document_parsing_exception"), Action.DEAD),
        (refusal(400, "mapper_parsing_exception"), Action.DEAD),
        (refusal(400, "strict_dynamic_mapping_exception"), Action.DEAD),
        (refusal(400, "illegal_argument_exception", "field [a] has a name"), Action.DEAD),
        (refusal(413, "too_big"), Action.DEAD),
        (refusal(404, "index_not_found_exception"), Action.CREATE),
        (refusal(400, "validation_exception", SHARDS), Action.PAUSE),
        (refusal(400, "index_closed_exception"), Action.PAUSE),
        (refusal(403, "cluster_block_exception", "read-only"), Action.PAUSE),
        (refusal(403, "index_create_block_exception"), Action.PAUSE),
        (refusal(401, "security_exception"), Action.PAUSE),
        (refusal(403, "security_exception"), Action.PAUSE),
    ],
)
def test_what_an_answer_about_one_document_means(answer, action):
    assert judge_item(answer).action is action


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"status": None},
        {"status": "201"},
        {"status": 202},
        {"status": 201, "error": {"type": "odd"}},
        {"status": 405, "error": "no"},
        refusal(404, "shard_not_found_exception"),
        refusal(409, "snapshot_in_progress"),
        refusal(302, "moved"),
    ],
)
def test_an_answer_that_is_not_in_the_table_loses_no_document(answer):
    verdict = judge_item(answer)
    assert (verdict.action, verdict.cause) == (Action.PAUSE, "request")


@pytest.mark.parametrize(
    ("status", "error", "action"),
    [
        (429, None, Action.RETRY),
        (429, {"type": "es_rejected_execution_exception"}, Action.RETRY),
        (500, {"type": "master_not_discovered_exception"}, Action.RETRY),
        (502, None, Action.RETRY),
        (503, {"type": "cluster_block_exception", "reason": "state not recovered"}, Action.RETRY),
        (504, None, Action.RETRY),
        (404, {"type": "index_not_found_exception"}, Action.CREATE),
        (401, None, Action.PAUSE),
        (403, None, Action.PAUSE),
        (403, {"type": "security_exception"}, Action.PAUSE),
        (403, {"type": "cluster_block_exception"}, Action.PAUSE),
        (400, {"type": "validation_exception", "reason": SHARDS}, Action.PAUSE),
        (413, None, Action.DIVIDE),
        (413, {"type": "content_too_long_exception"}, Action.DIVIDE),
        (400, {"type": "illegal_argument_exception", "reason": "Malformed"}, Action.DIVIDE),
        (400, "a text", Action.DIVIDE),
        (400, None, Action.DIVIDE),
        (404, {"type": "resource_not_found"}, Action.PAUSE),
        (405, "Incorrect HTTP method", Action.PAUSE),
        (406, "Content-Type header is not supported", Action.PAUSE),
        (200, None, Action.PAUSE),
        (301, None, Action.PAUSE),
    ],
)
def test_what_an_answer_about_the_whole_request_means(status, error, action):
    verdict = judge_whole(status, error)
    assert verdict.action is action
    assert verdict.type


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (refusal(400, "validation_exception", SHARDS), "shards"),
        (refusal(400, "index_closed_exception"), "blocked"),
        (refusal(403, "cluster_block_exception"), "blocked"),
        (refusal(429, "cluster_block_exception"), "blocked"),
        (refusal(403, "security_exception"), "auth"),
        (refusal(401, "anything"), "auth"),
        (refusal(418, "teapot"), "request"),
    ],
)
def test_a_pause_says_who_has_to_act(answer, cause):
    assert judge_item(answer).cause == cause
    assert judge_whole(answer["status"], answer["error"]).cause == cause


def test_a_reply_about_each_document_is_judged_one_by_one():
    verdicts = judge(Items([{"status": 201}, refusal(429, "busy")]), 2)
    assert [v.action for v in verdicts] == [Action.FINAL, Action.RETRY]
    assert [v.status for v in verdicts] == [201, 429]


@pytest.mark.parametrize(
    "reply",
    [
        Unknown("connection reset"),
        Items([{"status": 201}]),
        Items([{"status": 201}] * 3),
        Written(created=1, updated=0),
        Written(created=1, updated=2),
    ],
)
def test_an_unknown_outcome_is_sent_again_whole(reply):
    assert [v.action for v in judge(reply, 2)] == [Action.RESEND] * 2


def test_where_all_were_written_each_is_judged_so():
    assert judge(Written(created=1, updated=2), 3) == [CREATED, UPDATED, UPDATED]


def test_what_is_stored_is_counted_by_how():
    verdicts = [CREATED, UPDATED, STALE, CREATED, judge_item(refusal(429, "busy"))]
    assert count_finals(verdicts) == {"created": 2, "updated": 1, "stale": 1}
    assert count_finals(map(judge_item, [{"status": 201}, {"status": 200}])) == {
        "created": 1,
        "updated": 1,
    }


def test_a_reply_about_the_whole_holds_for_each_document():
    verdicts = judge(Whole(503), 3)
    assert [v.action for v in verdicts] == [Action.RETRY] * 3
    assert {v.status for v in verdicts} == {0}


@pytest.mark.parametrize(
    ("reply", "outage"),
    [
        (Items([{"status": 201}]), False),
        (Items([refusal(409, CONFLICT)]), False),
        (Items([refusal(429, "busy")]), True),
        (Items([refusal(503, "unavailable_shards_exception")]), True),
        (Items([refusal(500, "null_pointer_exception")]), False),
        (Items([refusal(400, "document_parsing_exception")]), False),
        (Items([refusal(404, "index_not_found_exception")]), False),
        (Items([refusal(403, "cluster_block_exception")]), False),
        (Items([refusal(403, "security_exception")]), True),
        (Whole(500), True),
        (Whole(429), True),
        (Whole(401), True),
        (Whole(405), True),
        (Whole(413), False),
        (Whole(400), False),
        (Unknown("timeout"), True),
    ],
)
def test_what_may_be_an_outage_of_the_cluster(reply, outage):
    assert judge(reply, 1)[0].is_outage is outage


SECRET = "my password is hunter2"
PLACE = "[1:14] failed to parse field [latency_ms] of type [double]"


@pytest.mark.parametrize(
    ("reason", "cause", "detail", "field"),
    [
        (
            f"{PLACE} in document with id '{SECRET}'. Preview of field's value: '{SECRET}'",
            {"type": "number_format_exception", "reason": f'For input string: "{SECRET}"'},
            f"{PLACE} (number_format_exception)",
            "latency_ms",
        ),
        (
            f"{PLACE} in document with id 'x'. Could not parse field value preview,",
            {"type": "json_parse_exception", "reason": f"Unrecognized token '{SECRET}'"},
            f"{PLACE} (json_parse_exception)",
            "latency_ms",
        ),
        (
            "failed to parse",
            {"type": "illegal_argument_exception", "reason": f"date field [{SECRET}]"},
            "failed to parse (illegal_argument_exception)",
            None,
        ),
        (f"failed to parse date field [{SECRET}] with format [x]", None, "", None),
        (f"Unrecognized token '{SECRET}': was expecting", None, "Unrecognized token …:", None),
        (f'For input string: "field [{SECRET}] it\'s"', None, "For input string: …", None),
        (
            'Document contains at least one immense term in field="error.keyword" (longer than '
            "32766), all of which were skipped. The prefix of the first immense term is: "
            f"'[{SECRET}]...', original message: bytes can be at most 32766",
            {"type": "max_bytes_length_exceeded_exception", "reason": SECRET},
            'Document contains at least one immense term in field="error.keyword" (longer than '
            "32766), all of which were skipped (max_bytes_length_exceeded_exception)",
            "error.keyword",
        ),
        (
            "mapping set to strict, dynamic introduction of [extra] within [_doc] is not allowed",
            None,
            "mapping set to strict, dynamic introduction of [extra] within [_doc] is not allowed",
            "extra",
        ),
        (
            "object mapping for [usage] tried to parse field [usage] as object, but found a value",
            None,
            "object mapping for [usage] tried to parse field [usage] as object, but found a value",
            "usage",
        ),
        (
            "Limit of total fields [1000] has been exceeded",
            None,
            "Limit of total fields [1000] has been exceeded",
            None,
        ),
    ],
)
def test_a_reason_names_the_field_and_never_quotes_the_document(reason, cause, detail, field):
    error = {"type": "document_parsing_exception", "reason": reason}
    verdict = judge_item({"status": 400, "error": error | ({"caused_by": cause} if cause else {})})
    assert verdict.detail.startswith(detail)
    assert SECRET not in repr(verdict)
    assert verdict.field == field


def test_a_document_that_speaks_of_shards_stops_nothing():
    reason = f"{PLACE} in document with id 'x'. Preview of field's value: '{SHARDS}'"
    assert judge_item(refusal(400, "document_parsing_exception", reason)).action is Action.DEAD


def test_a_reason_is_cut_to_a_readable_length():
    assert len(judge_item(refusal(400, "mapper_exception", "x" * 5_000)).detail) == 300


@pytest.mark.parametrize(
    ("verdict", "dead"),
    [
        (
            judge_item(refusal(400, "document_parsing_exception", PLACE)),
            Dead("mapping", f"document_parsing_exception: {PLACE}", "latency_ms"),
        ),
        (
            judge_item(refusal(400, "illegal_argument_exception", "bytes of field [a] too long")),
            Dead("mapping", "illegal_argument_exception: bytes of field [a] too long", "a"),
        ),
        (
            judge_item(refusal(400, "strict_dynamic_mapping_exception")),
            Dead("mapping", "strict_dynamic_mapping_exception"),
        ),
        (
            judge_item(refusal(400, "illegal_argument_exception", "immense term")),
            Dead("mapping", "illegal_argument_exception: immense term"),
        ),
        (
            judge_item(refusal(400, "illegal_argument_exception", "no")),
            Dead("rejected", "illegal_argument_exception: no"),
        ),
        (judge_whole(400, None), Dead("rejected", "status_400")),
        (judge_whole(413, None), Dead("too_large", "larger than Elasticsearch takes")),
        (
            judge_item(refusal(413, "anything", "long")),
            Dead("too_large", "larger than Elasticsearch takes"),
        ),
        (
            Verdict(Action.RETRY, "null_pointer_exception", status=500),
            Dead("rejected", "null_pointer_exception"),
        ),
    ],
)
def test_what_a_dead_letter_says(verdict, dead):
    assert dead_of(verdict) == dead


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (Items([refusal(429, "es_rejected_execution_exception")]), "busy"),
        (Whole(429), "busy"),
        (Items([refusal(503, "unavailable_shards_exception")]), "unavailable"),
        (Items([refusal(500, "null_pointer_exception")]), "unavailable"),
        (Whole(502), "unavailable"),
        (Unknown("reset"), "no_answer"),
        (Items([]), "no_answer"),
        (Items([refusal(404, "index_not_found_exception")]), "index_missing"),
        (Items([refusal(400, "index_closed_exception")]), "blocked"),
        (Items([refusal(400, "validation_exception", SHARDS)]), "shards"),
        (Whole(401), "auth"),
        (Whole(405), "request"),
    ],
)
def test_why_a_document_is_sent_again_is_one_of_a_few_words(reply, cause):
    (verdict,) = judge(reply, 1)
    assert retry_cause(verdict) == cause
