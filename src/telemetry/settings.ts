/** How spans leave over OTLP, after the configuration and the `OTEL_*` variables were put together. */
export interface OtlpSettings {
  readonly protocol: "grpc" | "http/protobuf";
  /** `http:` or `https:` decides about TLS. gRPC uses origin only; http/protobuf posts to exactly this URL. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Header name to the file that holds its value; read for every request. */
  readonly headerFiles: Readonly<Record<string, string>>;
  readonly tls: {
    readonly caFile?: string | undefined;
    readonly certFile?: string | undefined;
    readonly keyFile?: string | undefined;
  };
  readonly compression: "none" | "gzip";
  /** For one attempt. */
  readonly timeoutMs: number;
  readonly retry: {
    readonly maxAttempts: number;
    readonly initialBackoffMs: number;
    readonly maxBackoffMs: number;
  };
  readonly batch: {
    readonly maxSpans: number;
    readonly delayMs: number;
    /** For all attempts at one batch and the waits between them. */
    readonly timeoutMs: number;
  };
}

/** Everything that one generation of tracing is built from. */
export interface TracingSettings {
  readonly enabled: boolean;
  /** Undefined: JSON on standard output. */
  readonly otlp: OtlpSettings | undefined;
  readonly sampling: {
    readonly type: "always_on" | "always_off" | "probabilistic";
    readonly rate: number;
    readonly parent_based: boolean;
  };
  /** The resource's attributes, `service.name` first. */
  readonly resource: Readonly<Record<string, string>>;
  readonly queue: { readonly maxSpans: number; readonly maxBytes: number };
  /** Milliseconds that finished exchanges wait for others to be handed on with. */
  readonly delayMs: number;
  /** Characters kept of an attribute's text. */
  readonly valueLimit: number;
}

/** One value that is in force. `from` is `default`, `file`, or the name of a variable. */
export interface EffectiveValue {
  readonly key: string;
  /** For a log line: never the value of a header. */
  readonly value: string;
  readonly from: string;
}
