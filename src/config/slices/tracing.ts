import { choice, flag, item, list, optional, secret, section, share, table, text, whole } from "../kinds.ts";

const tls = section("Certificates, as PEM files; they are read again for every connection.", {
  ca_file: optional(text("Authorities the collector's certificate may come from; default: the system's.")),
  cert_file: optional(text("The router's own certificate, where the collector asks for one.")),
  key_file: optional(text("Private key of `cert_file`.")),
});

const retry = section("What happens to a batch the collector could not take for the moment.", {
  max_attempts: whole("Attempts at a batch, the first included; 1 never retries.", {
    minimum: 1,
    maximum: 20,
    default: 5,
  }),
  initial_backoff_ms: whole("Wait before the second attempt; each next wait is 1.5 times as long, ±20 %.", {
    minimum: 1,
    maximum: 60_000,
    default: 1000,
  }),
  max_backoff_ms: whole("Longest wait between two attempts, unless the collector asks for more.", {
    minimum: 1,
    maximum: 300_000,
    default: 5000,
  }),
});

const batch = section("How spans are gathered into requests to the collector.", {
  max_spans: whole("Spans in one request.", { minimum: 1, maximum: 65_536, default: 512 }),
  delay_ms: whole("Longest time a finished exchange waits for others to be sent with.", {
    minimum: 1,
    maximum: 60_000,
    default: 200,
  }),
  timeout_ms: whole("Longest time for a batch, all attempts and waits included.", {
    minimum: 100,
    maximum: 600_000,
    default: 30_000,
  }),
});

const queue = section("What may wait for the collector; above either limit the newest spans are dropped.", {
  max_spans: whole("Spans that wait or are being sent.", {
    minimum: 64,
    maximum: 10_000_000,
    default: 32_768,
  }),
  max_bytes: whole("Their bytes, as encoded.", {
    minimum: 65_536,
    maximum: 1_073_741_824,
    default: 16_777_216,
  }),
});

const exporter = section("Where spans go.", {
  type: choice("OTLP, or JSON on standard output.", ["otlp", "stdout"], "otlp"),
  protocol: optional(
    choice(
      "OTLP's transport; default: `http/protobuf` for a URL of `http(s)://` whose port is not 4317, else `grpc`.",
      ["grpc", "http/protobuf"],
    ),
  ),
  endpoint: text(
    "Collector: `host:port` or a URL; over http/protobuf one without a path gets `/v1/traces`.",
    {
      default: "localhost:4317",
    },
  ),
  insecure: flag(
    "`true` speaks plain text, without TLS; a scheme of `http` or `https` decides by itself.",
    false,
  ),
  tls,
  headers: secret(
    table("Headers of every request, such as a key for the collector.", secret(text("The value."))),
  ),
  header_files: table(
    "Headers whose value stands in a file, such as a mounted secret; read again for every request.",
    text("The file."),
  ),
  compression: choice("Compression of requests.", ["none", "gzip"], "none"),
  timeout_ms: whole("Longest wait for the collector's answer to one attempt.", {
    minimum: 1,
    maximum: 600_000,
    default: 10_000,
  }),
  retry,
  batch,
  queue,
});

const sampling = section("Which traces are kept.", {
  type: choice("All, none, or a share of `rate`.", ["always_on", "always_off", "probabilistic"], "always_on"),
  rate: share("Share of traces kept by `probabilistic`; all replicas decide alike.", 1),
  parent_based: flag("`true` follows the caller's decision when the request carries one.", true),
});

const resource = section("What the spans say about their origin.", {
  service_name: text("`service.name`, by which trace viewers group.", { default: "vllm-semantic-router" }),
  service_version: optional(text("`service.version`, such as the release.")),
  deployment_environment: optional(text("The deployment the spans come from, such as `production`.")),
});

const customAttribute = item("One attribute of your own; its value comes from exactly one source.", {
  key: text("Name of the attribute.", {
    pattern: "^[a-z][a-z0-9_]*(\\.[a-z0-9_]+)*$",
    patternErrorMessage: "expected words of a-z, 0-9 and _ joined by dots, such as customer.tier",
  }),
  header: optional(text("Request header that carries the value; never one that carries credentials.")),
  env: optional(text("Environment variable of the router that holds the value.")),
  value: optional(text("The value itself.")),
  spans: choice("Which spans carry it.", ["root", "all"], "root"),
  max_length: whole("Characters kept of a value.", { minimum: 1, maximum: 1024, default: 128 }),
  allowed_values: list(
    "Values that are taken as they are; any other becomes `other`. Empty: all are.",
    text("A value."),
  ),
});

const user_id = section("What the root's `user.id` is made from.", {
  header: optional(text("Request header that names the user; default: the body's `user` field.")),
  hash: flag("`true` records a keyed hash instead of the value.", true),
  hash_key: optional(
    secret(
      text("Key of the hash, the same on all replicas; default: one of the process, new at every start."),
    ),
  ),
});

export const observability = section("What the router tells about its work.", {
  tracing: section("OpenTelemetry traces; spans leave over OTLP or as JSON.", {
    enabled: flag("Switches tracing on; off, the trace headers pass untouched.", false),
    env_override: flag("`true` lets `OTEL_*` variables decide over this file.", true),
    provider: choice(
      "Conventions whose attribute names the spans carry beside the router's own.",
      ["opentelemetry", "openinference", "openllmetry"],
      "opentelemetry",
    ),
    exporter,
    sampling,
    resource,
    custom_attributes: list("Attributes of your own.", customAttribute),
    user_id,
    access_log_wait_ms: whole(
      "Longest time an exchange that has ended waits for Envoy's access log to say why; 0 never waits.",
      { minimum: 0, maximum: 60_000, default: 1000 },
    ),
    capture_content: flag(
      "`true` records prompts and answers on the upstream span, found personal data replaced by its type.",
      false,
    ),
    capture_content_max_chars: whole("Characters recorded of each prompt and each answer.", {
      minimum: 16,
      maximum: 65_536,
      default: 4096,
    }),
  }),
});
