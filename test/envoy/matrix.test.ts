import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import { envoyMissing } from "../support/envoy.ts";
import { columns } from "./matrix/columns.ts";
import { page, type Says } from "./matrix/page.ts";
import { type Result, runMatrix } from "./matrix/run.ts";

const pageFile = new URL("../../docs/outcome-matrix.md", import.meta.url);
const limitMs = 150_000;

describe("every outcome leaves one whole and true trace", { skip: envoyMissing, timeout: limitMs }, () => {
  const runs: { readonly log: boolean; results: readonly Result[] }[] = [
    { log: true, results: [] },
    { log: false, results: [] },
  ];

  for (const run of runs) {
    describe(`${run.log ? "with" : "without"} Envoy's access log`, { timeout: limitMs }, () => {
      before(
        async () => {
          run.results = await runMatrix(run.log);
        },
        { timeout: limitMs },
      );

      for (const column of columns)
        test(column.name, () => {
          const played = run.results.filter(({ cell }) => cell.column === column);
          assert.ok(played.length > 0);
          const wrong = played.flatMap((result) => ("wrong" in result ? [result.wrong] : []));
          if (wrong.length > 0) throw new AggregateError(wrong, wrong.map(String).join("\n"));
        });
    });
  }

  test("docs/outcome-matrix.md is what was found", () => {
    const says = (results: readonly Result[]): Says => {
      const found = new Map(results.map(({ cell, says }) => [cell.name, says]));
      return (row, column) => found.get(`${row}, ${column}`);
    };
    const [withLog, withoutLog] = runs.map(({ results }) => says(results));
    const isWhole = runs.every(
      ({ results }) => results.length > 0 && results.every((one) => !("wrong" in one)),
    );
    assert.ok(isWhole, "a page of what is wrong is no page");
    const found = page(withLog!, withoutLog!);
    if (process.env.UPDATE_GOLDEN === "1") writeFileSync(pageFile, found);
    else assert.equal(readFileSync(pageFile, "utf8"), found);
  });
});
