import { choice, flag, optional, section, share, text } from "../kinds.ts";

const exporter = section("Where spans go.", {
  type: choice("OTLP, or JSON on standard output.", ["otlp", "stdout"], "otlp"),
  endpoint: text("Collector: `host:port` or a URL.", { default: "localhost:4317" }),
  insecure: flag("`true` speaks plain text to the collector, without TLS.", false),
});

const sampling = section("Which traces are kept.", {
  type: choice("All, none, or a share of `rate`.", ["always_on", "always_off", "probabilistic"], "always_on"),
  rate: share("Share of traces kept by `probabilistic`.", 1),
  parent_based: flag("`true` follows the caller's decision when the request carries one.", true),
});

const resource = section("What the spans say about their origin.", {
  service_name: text("`service.name`, by which trace viewers group.", { default: "vllm-semantic-router" }),
  service_version: optional(text("`service.version`, such as the release.")),
  deployment_environment: optional(text("The deployment the spans come from, such as `production`.")),
});

export const observability = section("What the router tells about its work.", {
  tracing: section("OpenTelemetry traces; spans leave over OTLP gRPC or as JSON.", {
    enabled: flag("Switches tracing on; off, the trace headers pass untouched.", false),
    provider: choice(
      "Names of the attributes; only `opentelemetry` is implemented, the others load with a warning.",
      ["opentelemetry", "openinference", "openllmetry"],
      "opentelemetry",
    ),
    exporter,
    sampling,
    resource,
    capture_content: flag("Not implemented: content is never captured; `true` loads with a warning.", false),
  }),
});
