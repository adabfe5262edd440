import { columns, impossible } from "./columns.ts";
import { rows } from "./rows.ts";

/** What a cell's trace says; undefined for one that was not played. */
export type Says = (row: string, column: string) => string | undefined;

/** The page `docs/outcome-matrix.md`: a table for each run, and why cells are empty. */
export function page(withLog: Says, withoutLog: Says): string {
  const reasons: string[] = [];
  const note = (reason: string) => {
    if (!reasons.includes(reason)) reasons.push(reason);
    return `— (${reasons.indexOf(reason) + 1})`;
  };
  const table = (says: Says) =>
    [
      ["", ...rows.map(({ name }) => name)],
      ["---", ...rows.map(() => "---")],
      ...columns.map((column) => [
        column.name,
        ...rows.map((row) => {
          const reason = impossible(row, column);
          return reason === undefined ? (says(row.name, column.name) ?? "?") : note(reason);
        }),
      ]),
    ]
      .map((line) => `| ${line.join(" | ")} |`)
      .join("\n");
  const tables = [table(withLog), table(withoutLog)];
  return `# Outcome matrix

What the trace of an exchange says of its end, for every kind of request (across) and everything that may happen to it
(down). \`npm test\` plays every cell through a real Envoy and checks its trace at a real collector (one root, every other
span its child and within it, none lost, none twice, usage exact or marked as estimated); this page is what it found,
written by \`UPDATE_GOLDEN=1 npm test matrix\`.

A cell is the root's \`outcome\`, and after the slash its \`outcome.reason\` where there is one; \`aborted\` and \`failed\`, and a
status of 400 and more from upstream, mark root and upstream span as errors. A number points to why a cell cannot happen.

## With Envoy's access log sent to the router

The configuration of this project: Envoy knows why an exchange ended, and its trace says so.

${tables[0]}

## Without it

The trace says what the ext_proc stream tells: how far the exchange had come when it was cut, and not by whom.

${tables[1]}

## Empty cells

${reasons.map((reason, index) => `${index + 1}. ${reason}`).join("\n")}
`;
}
