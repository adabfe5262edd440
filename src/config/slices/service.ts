import { choice, flag, optional, secret, section, text, whole } from "../kinds.ts";

export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

const hostPort = "^(\\[[0-9A-Fa-f:.%]+\\]|[^\\s/:\\[\\]]+):[0-9]{1,5}$";

export const server = section("Where Envoy reaches the processor.", {
  listen: text("Address of the gRPC server: `host:port` or `unix:/path`. Read at start only.", {
    default: "127.0.0.1:50051",
    pattern: "^(unix:/.+|(\\[[0-9A-Fa-f:.%]+\\]|[^\\s/:\\[\\]]+):[0-9]{1,5})$",
    patternErrorMessage: "expected host:port, [IPv6 address]:port or unix:/path",
  }),
  status_listen: optional(
    text("`host:port` that answers `/livez` and `/readyz` over HTTP; none by default. Read at start only.", {
      pattern: hostPort,
      patternErrorMessage: "expected host:port or [IPv6 address]:port",
    }),
  ),
  drain_seconds: whole("Time that exchanges under way are given to end when the processor stops.", {
    minimum: 0,
    maximum: 86_400,
    default: 20,
  }),
});

export const admin = section("Where the operator reaches the processor. Keep it where only operators are.", {
  listen: optional(
    text(
      "`host:port` of the admin HTTP server, such as `127.0.0.1:9191`; none by default. Read at start only.",
      {
        pattern: hostPort,
        patternErrorMessage: "expected host:port or [IPv6 address]:port",
      },
    ),
  ),
  token: optional(
    secret(
      text("Bearer token that calls which change something must bring; without it they are refused.", {
        pattern: "^[\\x21-\\x7e]+$",
        patternErrorMessage: "must be of ASCII letters, digits and signs only, as a header is",
      }),
    ),
  ),
});

export const limits = section("What a request may cost before it is refused.", {
  max_body_bytes: whole(
    "Largest request body in bytes; a larger one gets 413, and texts of more than 33,554,432 characters 429.",
    {
      minimum: 1024,
      maximum: 1_073_741_824,
      default: 16_777_216,
    },
  ),
  max_json_depth: whole("Deepest nesting of a JSON body; a deeper one is answered with 400.", {
    minimum: 8,
    maximum: 10_000,
    default: 128,
  }),
});

export const inference = section(
  "The model that classifies, guards and embeds, and the threads it runs in.",
  {
    model_path: optional(
      text("Directory with a model made by training/export.py; without it the embedded model."),
    ),
    workers: optional(
      whole("Threads, each with a copy of the model; default: one less than there are cores, 1 to 4.", {
        minimum: 1,
        maximum: 16,
      }),
    ),
    threads: whole(
      "Cores that each worker uses for a request: more answer one sooner and all of them later.",
      { minimum: 1, maximum: 16, default: 1 },
    ),
    deadline_ms: whole(
      "Longest wait for the model in milliseconds; past it each detector's `on_error` decides.",
      {
        minimum: 1,
        maximum: 60_000,
        default: 4000,
      },
    ),
    max_deadline_ms: whole(
      "To which `deadline_ms` grows, in proportion, for over 20,000 characters; below Envoy's `max_message_timeout`.",
      {
        minimum: 1,
        maximum: 600_000,
        default: 60_000,
      },
    ),
    queue_limit: whole(
      "Requests that may wait for the model; one more, or more than 64 MiB of text, is answered with 429.",
      {
        minimum: 1,
        maximum: 1_000_000,
        default: 512,
      },
    ),
  },
);

export const routing = section("How Envoy is told where a request goes.", {
  endpoint_header: choice(
    "What `x-vsr-destination-endpoint` carries: the endpoint's `name`, or `address` for `address:port`.",
    ["name", "address"],
    "name",
  ),
});

export const security = section("How a refusal looks to the client.", {
  block_status: choice(
    "Status of a blocked request: 403 with an OpenAI error object, or 200 with a completion that refuses.",
    [403, 200],
    403,
  ),
});

export const logging = section("The processor's log.", {
  level: choice(
    "Least severe level that is logged; the variable SR_LOG_LEVEL overrides it.",
    logLevels,
    "info",
  ),
});

export const clear_route_cache = flag(
  "Let Envoy choose the route again after the destination header is set.",
  true,
);
