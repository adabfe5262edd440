import type { Piece, Settled } from "./messages.ts";
import type { Accepted, Failure } from "./transport.ts";

/** A request that the collector took; spans that it rejected are those of the first pieces, as it does not say which. */
export function accepted(
  pieces: readonly Piece[],
  { rejected, message }: Accepted,
  endpoint: string,
): Settled {
  let left = rejected;
  const failed = pieces.map(({ spans }) => {
    const lost = Math.min(left, spans);
    left -= lost;
    return lost;
  });
  const ids = pieces.map(({ id }) => id);
  const said = message === "" ? "" : `: ${message}`;
  return rejected > 0
    ? { ids, failed, reason: "rejected", message: `${endpoint}: ${rejected} spans rejected${said}` }
    : { ids, failed, ...(said && { message: `${endpoint} warns${said}` }) };
}

/** A request that is not tried again. */
export const givenUp = (
  pieces: readonly Piece[],
  { reason, message }: Failure,
  attempts: number,
  endpoint: string,
): Settled => ({
  ids: pieces.map(({ id }) => id),
  failed: pieces.map(({ spans }) => spans),
  reason,
  message: `${endpoint}: ${message}${attempts > 1 ? ` (${attempts} attempts)` : ""}`,
});
