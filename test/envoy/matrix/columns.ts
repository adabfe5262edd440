import { type Row, reachesUpstream } from "./rows.ts";

/** What happens to an exchange. */
export type Column = (typeof columns)[number];

export const columns = [
  { name: "answered", upstream: "answer", client: "reads" },
  { name: "upstream 4xx", upstream: "404", client: "reads" },
  { name: "upstream 5xx", upstream: "503", client: "reads" },
  { name: "upstream refuses the connection", upstream: "refuse", client: "reads" },
  { name: "upstream resets mid-body", upstream: "reset", client: "reads" },
  { name: "upstream resets once, Envoy retries", upstream: "reset-once", client: "reads" },
  { name: "upstream never answers (route timeout)", upstream: "think", client: "reads" },
  { name: "upstream falls silent mid-body (idle timeout)", upstream: "silence", client: "reads" },
  { name: "upstream ends its stream without `[DONE]`", upstream: "no-done", client: "reads" },
  { name: "client gone before its body is complete", upstream: "answer", client: "half" },
  { name: "client gone while upstream thinks", upstream: "wait", client: "leaves-waiting" },
  { name: "client gone mid-answer", upstream: "half", client: "leaves-mid-answer" },
  { name: "client resets its HTTP/2 stream mid-answer", upstream: "half", client: "resets-mid-answer" },
  { name: "client gone right after the last frame", upstream: "no-end", client: "leaves-after-done" },
  { name: "client gone after the whole answer", upstream: "answer", client: "leaves-after-end" },
  { name: "configuration reloads in flight", upstream: "hold", client: "held" },
  { name: "Envoy drains", upstream: "hold", client: "held" },
  { name: "Envoy ends", upstream: "hold", client: "held" },
  { name: "processor stops, exchange ends in time", upstream: "hold", client: "held" },
  { name: "processor stops, exchange outlasts the drain", upstream: "hold", client: "held" },
] as const;

const noUpstream = "Answered by the router: it never reaches an upstream.";
const notStreamed = "Its answer is no event stream, so it ends with its last byte.";
const inOnePiece = "The router's own answer leaves in one piece.";

/** Why a cell cannot happen; undefined for one that can. */
export function impossible(row: Row, { name, upstream, client }: Column): string | undefined {
  if (client === "held" || client === "half" || name === "answered") return undefined;
  if (client === "leaves-after-end") return undefined;
  if (!reachesUpstream(row)) {
    const mid =
      client === "leaves-mid-answer" || client === "resets-mid-answer" || client === "leaves-after-done";
    return mid ? inOnePiece : noUpstream;
  }
  if ((upstream === "no-done" || upstream === "no-end") && row.answer !== "sse") return notStreamed;
  return undefined;
}
