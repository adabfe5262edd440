/** One printed table: what it is, its columns, its rows, and what a reader must know beside it. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly notes?: readonly string[];
}

/** Aligned plain text: the first column to the left, numbers to the right. */
export function asText({ title, columns, rows, notes = [] }: Table): string {
  const widths = columns.map((name, i) => Math.max(name.length, ...rows.map((row) => (row[i] ?? "").length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [title, line(columns), rule, ...rows.map(line), ...notes.map((note) => `  ${note}`), ""].join("\n");
}

export function asMarkdown({ title, columns, rows, notes = [] }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    `### ${title}`,
    "",
    line(columns),
    line(columns.map((_, i) => (i === 0 ? "---" : "---:"))),
    ...rows.map(line),
    "",
    ...notes.flatMap((note) => [`- ${note}`]),
    "",
  ].join("\n");
}

export const fixed = (value: number, digits = 0): string =>
  Number.isFinite(value) ? value.toFixed(digits) : "n/a";

export const percent = (share: number, digits = 1): string =>
  Number.isFinite(share) ? `${(share * 100).toFixed(digits)} %` : "n/a";

export const signed = (share: number, digits = 1): string =>
  Number.isFinite(share) ? `${share >= 0 ? "+" : ""}${(share * 100).toFixed(digits)} %` : "n/a";
