"""A traced client: one span around one completions call, its context in the headers.

Where the spans go is told by the same variables that vLLM and the router know:
OTEL_SERVICE_NAME, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, _INSECURE and _PROTOCOL.
"""

import argparse
import json
import os
import sys
import urllib.error
import urllib.request

from opentelemetry.propagate import inject
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    ConsoleSpanExporter,
    SimpleSpanProcessor,
)
from opentelemetry.trace import SpanKind

PROTOCOL = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"


def otlp_exporter():
    """The exporter for the protocol that the environment names; it reads the endpoint from there itself."""
    protocol = os.environ.get(PROTOCOL) or "grpc"
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (
            OTLPSpanExporter,
        )
    elif protocol == "http/protobuf":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (
            OTLPSpanExporter,
        )
    else:
        sys.exit(f"{PROTOCOL}={protocol} is not known: write grpc or http/protobuf")
    return OTLPSpanExporter()


def ask(tracer, url, model, prompt):
    """Sends the prompt inside a span of its own. Returns the status and the body."""
    with tracer.start_as_current_span("client-span", kind=SpanKind.CLIENT) as span:
        # What one asked is this client's own to tell; the router and vLLM record no content.
        span.set_attribute("prompt", prompt)
        headers = {"content-type": "application/json"}
        inject(headers)
        # Neither beam search, whose requests lose the trace context in vLLM, nor several choices of a greedy answer.
        body = {"model": model, "prompt": prompt, "max_tokens": 10, "temperature": 0}
        request = urllib.request.Request(
            f"{url}/v1/completions", json.dumps(body).encode(), headers
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8801", help="Envoy, or the model server")
    parser.add_argument("--model", default="auto")
    parser.add_argument("--prompt", default="Once upon a time")
    options = parser.parse_args()

    os.environ.setdefault("OTEL_SERVICE_NAME", "client-service")
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(otlp_exporter()))
    provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
    try:
        status, text = ask(
            provider.get_tracer("dummy-client"), options.url, options.model, options.prompt
        )
        print(f"{status} {text}")
    finally:
        # Sends what waits; without it a short program loses its spans.
        provider.shutdown()
    return 0 if status < 400 else 1


if __name__ == "__main__":
    sys.exit(main())
