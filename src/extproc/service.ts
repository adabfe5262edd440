import type { Chat } from "../chat/request.ts";
import type { Outcome } from "../outcome.ts";
import type { Pipeline } from "../pipeline.ts";
import type { Trace } from "../telemetry/trace.ts";
import type { Tracing } from "../telemetry/tracing.ts";
import type { Endings } from "./endings.ts";

type Forward = Outcome & { kind: "forward" };

/** All that one generation of the configuration decides. An exchange takes one at its start and keeps it. */
export interface Service {
  readonly generation: number;
  readonly tracing: Tracing;
  /** None where the configuration names no models: then everything is passed through. */
  readonly pipeline: Pipeline | undefined;
  /** Whether any guard is on. Then text is generated at the guarded endpoints only. */
  readonly guarded: boolean;
  /** Forwards what is not for the pipeline: to the endpoint of `model`, else to the default one. */
  passThrough(kind: "embeddings" | "other", model: string | undefined, at: Trace): Promise<Forward>;
  /** The body of `GET /v1/models`. */
  modelList(): Uint8Array;
  /** Sets the operator's own attributes on a recorded trace. `header`: the first value, by name in lower case. */
  customAttributes(at: Trace, header: (name: string) => string | undefined): void;
  /** Header that names the user; none where the body's `user` field does. In lower case. */
  readonly userHeader: string | undefined;
  /** How a trace names this user; undefined for nobody. */
  userId(user: string): string | undefined;
  /** How long a body of so many bytes may wait for its verdict, where that is longer than usual. Milliseconds */
  overtimeMs(bytes: number): number | undefined;
  readonly maxBodyBytes: number;
  readonly maxJsonDepth: number;
  readonly tenantHeader: string;
  /** 403, or 200 for a completion that refuses. */
  readonly blockStatus: number;
  readonly endpointHeader: "name" | "address";
  readonly clearRouteCache: boolean;
}

/** What a stream is served with. */
export interface Serving {
  /** The generation in force, for an exchange that begins. */
  enter(): Service;
  /** An exchange under this generation has ended: nothing of it is needed any more. */
  leave(service: Service): void;
  /** Where exchanges meet their entries in Envoy's access log. */
  readonly endings: Endings;
  /** A fault that is ours: reported without content. */
  fault(error: unknown, chat: Chat | undefined): void;
}
