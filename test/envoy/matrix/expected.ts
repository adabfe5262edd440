import type { Column } from "./columns.ts";
import { type Row, reachesUpstream } from "./rows.ts";

/** What the trace of a cell says, and what its client saw. */
export interface Expected {
  readonly outcome: string;
  readonly reason: string | undefined;
  /** Whether root, and upstream span where there is one, are marked as failed. */
  readonly failed: boolean;
  /** Status that the client saw, and that the trace has where the router could know it; none: it got no answer. */
  readonly status: number | undefined;
  /** Envoy answered in upstream's place. */
  readonly byEnvoy?: boolean;
  /** The router could not know the status. */
  readonly statusUnknown?: boolean;
  /** Whether the request was forwarded. */
  readonly forwarded: boolean;
  readonly usage: "exact" | "estimated" | "none";
  /** Attempts of Envoy after the first. */
  readonly resent?: number;
}

/** How far an exchange has come when it is cut. */
type Stage = "verdict" | "response" | "mid-response";
const streamSays = {
  verdict: "ended_before_verdict",
  response: "ended_before_response",
  "mid-response": "ended_mid_response",
} as const;

/** Where a held exchange is held: a stream mid-answer, what else is forwarded in the thinking model, the rest mid-body. */
export function heldAt(row: Row): Stage {
  if (!reachesUpstream(row)) return "verdict";
  return row.answer === "sse" ? "mid-response" : "response";
}

/** @param log whether Envoy's access log goes to the router. */
export function expected(row: Row, { name, upstream, client }: Column, log: boolean): Expected {
  const forwarded = reachesUpstream(row);
  const { outcome, reason, status } = row;
  const whole: Expected = {
    outcome,
    reason,
    failed: false,
    status,
    forwarded,
    usage: forwarded ? "exact" : "none",
  };
  const answeredWith = (code: number): Expected => ({ ...whole, failed: true, status: code, usage: "none" });
  const instead = (code: number, cause: string): Expected => ({
    ...answeredWith(code),
    outcome: "failed",
    reason: cause,
    byEnvoy: true,
  });
  const cut = (stage: Stage, cause: string): Expected => ({
    outcome: "aborted",
    reason: log ? cause : streamSays[stage],
    failed: true,
    status: stage === "mid-response" ? 200 : undefined,
    forwarded: stage !== "verdict",
    usage: stage === "mid-response" && row.answer === "sse" ? "estimated" : "none",
  });

  switch (name) {
    case "Envoy ends":
      // Its last entries leave with it, or do not.
      return cut(heldAt(row), "envoy_gone");
    case "processor stops, exchange outlasts the drain": {
      const stage = heldAt(row);
      const mine = { ...cut(stage, ""), reason: "shutdown" };
      // Envoy answers in the router's place, which only its log tells.
      if (stage === "mid-response") return mine;
      return { ...mine, status: 503, byEnvoy: true, statusUnknown: !log };
    }
  }
  switch (client) {
    case "half":
      return cut("verdict", "client_disconnect");
    case "leaves-waiting":
      return cut("response", "client_disconnect");
    case "leaves-mid-answer":
    case "resets-mid-answer":
      return cut("mid-response", "client_disconnect");
    case "leaves-after-done":
      return { ...whole, reason: log ? "client_disconnect" : undefined };
  }
  switch (upstream) {
    case "404":
    case "503":
      return answeredWith(Number(upstream));
    case "refuse":
      return instead(503, "upstream_connection_failure");
    case "think":
      return instead(504, "upstream_timeout");
    case "reset":
      return cut("mid-response", "upstream_reset");
    case "silence":
      return cut("mid-response", "idle_timeout");
    case "reset-once":
      return { ...whole, resent: 1 };
  }
  return whole;
}
