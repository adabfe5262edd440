import { randomBytes } from "node:crypto";
import { type Column, columns, impossible } from "./columns.ts";
import { type Expected, expected } from "./expected.ts";
import { type Row, rows, seed } from "./rows.ts";

/** One exchange: a kind of request, and what happens to it. */
export interface Cell {
  readonly name: string;
  readonly row: Row;
  readonly column: Column;
  readonly expected: Expected;
  readonly traceId: string;
  /** The client's span, parent of the root. */
  readonly clientSpanId: string;
  readonly requestId: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Every cell that can happen. @param log whether Envoy's access log goes to the router. */
export const cells = (log: boolean): Cell[] =>
  columns.flatMap((column) =>
    rows.filter((row) => impossible(row, column) === undefined).map((row) => cell(row, column, log)),
  );

export const seedCell = (log: boolean): Cell => cell(seed, columns[0], log);

function cell(row: Row, column: Column, log: boolean): Cell {
  const traceId = randomBytes(16).toString("hex");
  const clientSpanId = randomBytes(8).toString("hex");
  const requestId = `cell-${randomBytes(8).toString("hex")}`;
  return {
    name: `${row.name}, ${column.name}`,
    row,
    column,
    expected: expected(row, column, log),
    traceId,
    clientSpanId,
    requestId,
    headers: {
      "content-type": "application/json",
      traceparent: `00-${traceId}-${clientSpanId}-01`,
      "x-request-id": requestId,
      "x-upstream": column.upstream,
      // Another tenant, another cache.
      authorization: `Bearer ${row.tenant ?? requestId}`,
    },
  };
}
