"""A request to a language model as a span of OpenTelemetry, sent to the gateway.

    pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http
    ingest gateway &
    OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:8080 python examples/opentelemetry_spans.py

Instrumentations for the providers' libraries make such spans by themselves; this is what they set.
"""

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind


def main() -> None:
    """Record one request, and send it."""
    provider = TracerProvider(resource=Resource({"service.name": "shop"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracer = provider.get_tracer("example")
    request = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4.1",
        "gen_ai.conversation.id": "conversation-7",
        "server.address": "api.openai.com",
    }
    with tracer.start_as_current_span(
        "chat gpt-4.1", kind=SpanKind.CLIENT, attributes=request
    ) as span:
        # Here the request is made, and its answer read.
        span.set_attribute("gen_ai.response.model", "gpt-4.1-2025-04-14")
        span.set_attribute("gen_ai.usage.input_tokens", 1200)
        span.set_attribute("gen_ai.usage.output_tokens", 90)
        span.set_attribute("http.response.status_code", 200)
    provider.shutdown()


if __name__ == "__main__":
    main()
