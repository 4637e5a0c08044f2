"""OTLP as a form of events over HTTP."""

from collections import Counter
from collections.abc import Sequence

from starlette.responses import Response

from ingest.gateway import otlp
from ingest.gateway.bodies import Items, Problem
from ingest.gateway.checks import Refusal
from ingest.gateway.http_forms import answer


class OtlpForm:
    """Implements `Form` for one request of an OpenTelemetry exporter."""

    door = "otlp"

    def __init__(self, signal: otlp.Signal, content_type: str, max_items: int) -> None:
        self._signal = signal
        self._content_type = content_type
        self._max_items = max_items
        self._others = 0

    def read(self, body: bytes, content_type: str) -> Items | Problem:
        """Translate what tells of requests to language models, count what does not."""
        export = otlp.read(self._signal, body, content_type, self._max_items)
        if isinstance(export, Problem):
            return export
        self._others = export.others
        return export.events

    def outcome(self, _: int, refusals: Sequence[Refusal], /) -> Response:
        """200 in any case: what is left aside would be so again."""
        reasons = Counter(f"{refusal.reason} ({refusal.detail})" for refusal in refusals)
        if self._others:
            reasons["no request to a language model"] = self._others
        detail = "; ".join(f"{count}: {reason}" for reason, count in reasons.items())
        content = otlp.answered(self._signal, self._content_type, reasons.total(), detail)
        return answer(200, content, media_type=self._answer_type)

    def problem(self, problem: Problem, retry_after_s: int | None = None) -> Response:
        """Say it as the protocol wants it; exporters repeat after 429 and 503 only."""
        content = otlp.refused(self._content_type, problem.detail)
        return answer(problem.status, content, retry_after_s, self._answer_type)

    @property
    def _answer_type(self) -> str:
        is_protobuf = otlp.kind_of(self._content_type) == otlp.PROTOBUF
        return otlp.PROTOBUF if is_protobuf else otlp.JSON
