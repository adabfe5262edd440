/** Why a request is not forwarded. Nothing in it holds text of the request, except the model the client itself named. */
export type Refusal =
  | {
      readonly kind: "malformed";
      readonly code: string;
      readonly message: string;
      readonly param?: string | undefined;
    }
  | { readonly kind: "too_large"; readonly limitBytes: number }
  | { readonly kind: "unsupported_encoding"; readonly encoding: string }
  | { readonly kind: "unguarded_path" }
  | { readonly kind: "unknown_model"; readonly model: string }
  | { readonly kind: "no_model" }
  | { readonly kind: "no_endpoint"; readonly model: string }
  | { readonly kind: "pii"; readonly types: readonly string[]; readonly model: string }
  | { readonly kind: "jailbreak"; readonly type: string; readonly confidence: number }
  | { readonly kind: "guard_failed"; readonly stage: string; readonly reason: string }
  | { readonly kind: "overloaded"; readonly stage: string }
  | { readonly kind: "misconfigured"; readonly message: string }
  | { readonly kind: "internal" };

/** Status, OpenAI error type and code, and how the root span names it, for each refusal. `docs/errors.md` is the same table. */
export const refusals = {
  malformed: { status: 400, type: "invalid_request_error", code: "invalid_request", outcome: "rejected" },
  too_large: { status: 413, type: "invalid_request_error", code: "request_too_large", outcome: "rejected" },
  unsupported_encoding: {
    status: 415,
    type: "invalid_request_error",
    code: "unsupported_content_encoding",
    outcome: "rejected",
  },
  unguarded_path: {
    status: 404,
    type: "invalid_request_error",
    code: "unguarded_path",
    outcome: "rejected",
  },
  unknown_model: { status: 404, type: "invalid_request_error", code: "model_not_found", outcome: "rejected" },
  no_model: { status: 503, type: "server_error", code: "no_model", outcome: "failed" },
  no_endpoint: { status: 503, type: "server_error", code: "model_without_endpoint", outcome: "failed" },
  pii: { status: 403, type: "policy_violation", code: "pii_violation", outcome: "blocked" },
  jailbreak: { status: 403, type: "policy_violation", code: "jailbreak_blocked", outcome: "blocked" },
  guard_failed: { status: 503, type: "server_error", code: "guard_unavailable", outcome: "failed" },
  overloaded: { status: 429, type: "rate_limit_error", code: "overloaded", outcome: "rejected" },
  misconfigured: { status: 500, type: "server_error", code: "proxy_misconfigured", outcome: "failed" },
  internal: { status: 500, type: "server_error", code: "internal_error", outcome: "failed" },
} as const satisfies Record<
  Refusal["kind"],
  { status: number; type: string; code: string; outcome: "blocked" | "rejected" | "failed" }
>;

/** Where a request goes, as `backend.selection` chose it. */
export interface Backend {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** `address:port`. */
  readonly hostPort: string;
  /** Tells how the exchange with it went, so that an endpoint that fails is set aside. */
  report(ok: boolean): void;
}

/** `address:port`, an IPv6 address in brackets. */
export const hostPort = (address: string, port: number): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;

/** What was decided, as the response headers tell the client. */
export interface Selection {
  readonly model: string;
  readonly category?: string | undefined;
  readonly reasoning: boolean;
  readonly systemPromptInjected: boolean;
}

/** The upstream half of an exchange: told what passes, it closes its span when it ends. */
export interface Upstream {
  /** For the `traceparent` that goes upstream. */
  readonly spanId: string;
  responseHeaders(response: UpstreamResponse): void;
  chunk(bytes: Uint8Array, atMs: number): void;
  /** The response is over, by itself (`complete`) or cut: what it said is read now. Only the first call counts. */
  end(complete: boolean): void;
  /** The answer has passed whole: to its end, or to the frame that ends a stream of completions. */
  readonly answered: boolean;
  /** Why and when it ended at last, once that is known. Closes it, where `end` has not. */
  close(end: UpstreamEnd): void;
}

export interface UpstreamEnd {
  /** Why it was cut; none where it ended by itself. */
  readonly reason?: string | undefined;
  /** On the monotonic clock; default: when `end` was called. */
  readonly atMs?: number | undefined;
  /** The server that answered, as Envoy saw it. */
  readonly peer?: Peer | undefined;
  /** Times that Envoy sent the request. */
  readonly attempts?: number | undefined;
}

export interface Peer {
  readonly address: string;
  readonly port?: number | undefined;
}

export interface UpstreamResponse {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly contentEncoding?: string | undefined;
  /** Envoy's word for where the response came from; `via_upstream` is a real one. */
  readonly codeDetails?: string | undefined;
  /** Envoy answered in upstream's place. */
  readonly fromEnvoy?: boolean | undefined;
}

/** What becomes of a request: one of three, and nothing else. */
export type Outcome =
  | { readonly kind: "refuse"; readonly refusal: Refusal }
  | { readonly kind: "reply"; readonly contentType: string; readonly body: Uint8Array }
  | {
      readonly kind: "forward";
      /** The new body; none where the client's own goes on as it is. */
      readonly body: Uint8Array | undefined;
      /** None for what is passed through. */
      readonly selection: Selection | undefined;
      /** None where the configuration names no endpoints: Envoy's routes decide. */
      readonly backend: Backend | undefined;
      readonly upstream: Upstream;
    };

/** A stage could not do its work and its policy is to refuse. Translated to an answer once, at the rim. */
export class StageFault extends Error {
  readonly stage: string;
  readonly reason: string;
  constructor(stage: string, reason: string) {
    super(`${stage}: ${reason}`);
    this.name = "StageFault";
    this.stage = stage;
    this.reason = reason;
  }
}
