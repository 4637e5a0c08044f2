"""The OpenAPI document of the HTTP door."""

from typing import Any

import msgspec

_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_OUTCOME = {"$ref": "#/components/schemas/Outcome"}
_EITHER = {"anyOf": [_PROBLEM, _OUTCOME]}
_EVENT = {
    "type": "object",
    "description": "A request to a model, under the names that `ingest schema raw` describes.",
}


def _answer(description: str, schema: dict[str, Any], *headers: str) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": description,
        "content": {"application/json": {"schema": schema}},
    }
    if headers:
        answer["headers"] = {
            name: {"description": "Seconds to wait.", "schema": {"type": "integer"}}
            for name in headers
        }
    return answer


_EVENTS = {
    "summary": "Send events",
    "description": "Accepted events are confirmed by Kafka. Sent again, the same event is the same "
    "document, so whatever is not accepted for sure may be repeated.",
    "parameters": [
        {
            "name": "Content-Encoding",
            "in": "header",
            "schema": {"type": "string", "enum": ["gzip", "zstd"]},
        }
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"oneOf": [_EVENT, {"type": "array", "items": _EVENT, "minItems": 1}]}
            },
            "application/x-ndjson": {
                "schema": {"type": "string", "description": "One event on each line."}
            },
        },
    },
    "responses": {
        "202": _answer("Every event is accepted.", _OUTCOME),
        "207": _answer("Some events are accepted; `errors` says which are not.", _OUTCOME),
        "400": _answer("Nothing is accepted: no event, or none that can be read.", _EITHER),
        "401": _answer("No valid key.", _PROBLEM),
        "403": _answer("The key may not write for the events' services.", _OUTCOME),
        "408": _answer("The body came too slowly.", _PROBLEM),
        "413": _answer("The body or its events are too large or too many.", _EITHER),
        "415": _answer("Another content type or encoding.", _PROBLEM),
        "429": _answer("This key has sent too much.", _PROBLEM, "Retry-After"),
        "503": _answer("Kafka cannot take it now.", _PROBLEM, "Retry-After"),
    },
}


def _otlp(message: str) -> dict[str, Any]:
    """Describe a path of OpenTelemetry's protocol, whose messages are described there."""
    content: dict[str, Any] = {"application/json": {}, "application/x-protobuf": {}}
    answers = {
        "200": f"What tells of requests to language models is accepted: `{message}Response`.",
        "400": "It cannot be read: `google.rpc.Status`.",
        "401": "No valid key.",
        "413": "It is too large, or holds too many events.",
        "415": "Another content type or encoding.",
        "429": "This key has sent too much: see `Retry-After`.",
        "503": "Kafka cannot take it now: see `Retry-After`.",
    }
    return {
        "summary": f"`{message}Request` of the OpenTelemetry protocol (OTLP)",
        "requestBody": {"required": True, "content": content},
        "responses": {
            status: {"description": text, "content": content} for status, text in answers.items()
        },
    }


def _page(summary: str, content_type: str) -> dict[str, Any]:
    return {
        "get": {
            "summary": summary,
            "security": [],
            "responses": {"200": {"description": summary, "content": {content_type: {}}}},
        }
    }


_SCHEMAS = {
    "Outcome": {
        "type": "object",
        "required": ["accepted"],
        "properties": {
            "accepted": {"type": "integer"},
            "rejected": {"type": "integer"},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["index", "reason", "detail"],
                    "properties": {
                        "index": {
                            "type": "integer",
                            "description": "Place in the request, from 0.",
                        },
                        "reason": {"type": "string"},
                        "detail": {"type": "string"},
                    },
                },
            },
        },
    },
    "Problem": {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["reason", "detail"],
                "properties": {"reason": {"type": "string"}, "detail": {"type": "string"}},
            }
        },
    },
}

DESCRIPTION = msgspec.json.encode(
    {
        "openapi": "3.1.0",
        "info": {"title": "ingest gateway", "version": "1"},
        "security": [{"bearer": []}, {"key": []}],
        "paths": {
            "/v1/events": {"post": _EVENTS},
            "/v1/traces": {"post": _otlp("ExportTraceService")},
            "/v1/logs": {"post": _otlp("ExportLogsService")},
            "/healthz": _page("Whether the gateway can take events", "text/plain"),
            "/metrics": _page("Metrics for Prometheus", "text/plain"),
            "/openapi.json": _page("This document", "application/json"),
        },
        "components": {
            "schemas": _SCHEMAS,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }
)
