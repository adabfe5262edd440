import { readFileSync } from "node:fs";
import { fixed, type Table } from "../../bench/lib/table.ts";

/** One figure measured elsewhere. `n`: on how many. */
export interface HeldOut {
  readonly name: string;
  readonly n: number;
  readonly metric: string;
  readonly value: number;
}

/**
 * The figures in a file of JSON, `[{"name", "n", "metric", "value"}]`, as `training/evaluate.py --json` writes it.
 * Throws an Error that names the file and the remedy.
 */
export function heldOutTable(path: string): Table {
  const remedy =
    'it must be a list of {"name", "n", "metric", "value"}, as training/evaluate.py --json writes it';
  let figures: unknown;
  try {
    figures = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new Error(`${path} cannot be read (${(error as Error).message}): ${remedy}`);
  }
  if (!Array.isArray(figures)) throw new Error(`${path} holds no list: ${remedy}`);
  for (const [i, one] of figures.entries())
    if (!isHeldOut(one)) throw new Error(`${path}, entry ${i + 1}: ${remedy}`);
  return {
    title: "Sources that were left out of training",
    columns: ["set", "of", "measure", "value"],
    rows: (figures as HeldOut[]).map(({ name, n, metric, value }) => [
      name,
      String(n),
      metric,
      fixed(value, 3),
    ]),
    notes: ["measured by training/evaluate.py with a model that never saw these sources, not in this run"],
  };
}

function isHeldOut(value: unknown): value is HeldOut {
  const one = value as Partial<HeldOut> | null;
  return (
    typeof one?.name === "string" &&
    typeof one.n === "number" &&
    typeof one.metric === "string" &&
    typeof one.value === "number"
  );
}
