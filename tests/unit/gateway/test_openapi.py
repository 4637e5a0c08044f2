"""The document that describes the interface, held against what the door answers."""

import hashlib
import json

import jsonschema
import msgspec
import pytest

from ingest.gateway.keys import Key
from ingest.gateway.openapi import DESCRIPTION
from tests.support.door import LIMITS, open_door

DOCUMENT = json.loads(DESCRIPTION)
ANSWERS = DOCUMENT["paths"]["/v1/events"]["post"]["responses"]
KEY = Key("a", hashlib.sha256(b"secret").hexdigest(), services=("shop",), events_per_s=1_000)
LINES = "application/x-ndjson"
GOOD = b'{"service":"shop"}'


def check(answer):
    """Fail unless the answer has the form, and the headers, that its status has there."""
    described = ANSWERS[str(answer.status)]
    schema = described["content"]["application/json"]["schema"]
    jsonschema.Draft202012Validator(DOCUMENT | schema).validate(json.loads(answer.body))
    assert answer.headers["content-type"] == "application/json"
    assert {name.lower() for name in described.get("headers", {})} <= answer.headers.keys()


async def test_every_answer_has_the_form_that_the_document_gives_it():
    limits = msgspec.structs.replace(
        LIMITS, max_body_bytes=60_000, max_event_bytes=5_000, max_items=2_000, read_timeout_s=0.1
    )
    seen = set()
    async with open_door(keys=[KEY], limits=limits, deadline_s=0.05) as door:

        async def post(body, key="secret", **headers):
            answer = await door.post(body, x_api_key=key, **headers)
            seen.add(answer.status)
            check(answer)

        await post(GOOD)
        await post(GOOD + b"\n{", content_type=LINES)
        await post(b"")
        await post(b"[{]")
        await post(b"{")
        await post(GOOD, key="wrong")
        await post(b'{"service":"bank"}')
        await post(GOOD, content_length="40")
        await post(b" " * 60_001)
        await post(b"{}\n" * 2_001, content_type=LINES)
        await post(b'{"service":"shop","x":"%b"}' % (b"x" * 5_000))
        await post(GOOD, content_type="text/plain")
        await post(GOOD, content_encoding="br")
        door.producer.held = True
        await post(GOOD)
        for _ in range(6):
            await post(b"{}\n" * 1_900, content_type=LINES)
    assert {str(status) for status in seen} == ANSWERS.keys()


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_every_reference_leads_somewhere(path):
    for answer in next(iter(DOCUMENT["paths"][path].values()))["responses"].values():
        for content in answer.get("content", {}).values():
            jsonschema.Draft202012Validator(DOCUMENT | content.get("schema", {})).is_valid({})
