import type { Trace } from "../telemetry/trace.ts";
import type { Message } from "./decode.ts";
import type { Dialogue } from "./dialogue.ts";
import type { Service } from "./service.ts";
import type { Story } from "./story.ts";

/** What both phases of an exchange are told. Only `story` changes. */
export interface Exchange {
  readonly envoy: Dialogue;
  /** The first message; the request headers, unless the operator skips them. */
  readonly opening: Message;
  /** Envoy's, or one of ours where it sent none. */
  readonly requestId: string;
  /** The generation of the configuration that the exchange began under. */
  readonly service: Service;
  readonly at: Trace;
  readonly story: Story;
}
