import { fixed, percent, type Table } from "../../bench/lib/table.ts";
import { highest } from "../../src/cli/answers.ts";
import { ask, type Run } from "./ask.ts";
import type { CategoryRecord } from "./data.ts";
import {
  binned,
  calibrationError,
  family,
  grouped,
  type Judged,
  mean,
  shareOf,
  uncertainty,
} from "./metrics.ts";

/** A record and what the model said of it; `options`: whether its choices stood after its text. */
export type Prediction = CategoryRecord & Judged & { readonly withOptions: boolean };

/** Asks for every text, and once more for those with choices, the choices after the text, a line each. */
export async function predict(run: Run, records: readonly CategoryRecord[]): Promise<Prediction[]> {
  const longer = records.filter(({ options }) => options && options.length > 0);
  const asked = [
    ...records.map((record) => ({ record, text: record.text, withOptions: false })),
    ...longer.map((record) => ({
      record,
      text: [record.text, ...record.options!.map(String)].join("\n"),
      withOptions: true,
    })),
  ];
  return ask(
    run,
    "category",
    asked.map(({ text }) => text),
    { category: true },
    ({ category }, i) => {
      const { record, withOptions } = asked[i]!;
      const best = highest(category);
      return {
        ...record,
        withOptions,
        score: category[best]!,
        right: run.encoder.labels[best] === record.label,
      };
    },
  );
}

/** Accuracy by language and kind, and by source. Where a text has choices there is a second row with them. */
export function categoryTables(predictions: readonly Prediction[]): Table[] {
  const columns = ["set", "texts", "right", "±"];
  const rowsBy = (keyOf: (one: Prediction) => string) =>
    [...grouped(predictions, (one) => [one.withOptions ? `${keyOf(one)}, with options` : keyOf(one)])]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, group]) => {
        const right = shareOf(group, (one) => one.right);
        return [key, String(group.length), percent(right), percent(uncertainty(right, group.length))];
      });
  return [
    {
      title: "Category: accuracy by language and kind",
      columns,
      rows: rowsBy(({ lang, kind }) => `${lang} ${kind}`),
      notes: ["with options: of the texts that have answer choices, with these after the text"],
    },
    {
      title: "Category: accuracy by source",
      columns,
      rows: rowsBy(({ lang, kind, source }) => `${lang} ${kind}: ${family(source)}`),
    },
  ];
}

/** How well the score of the best label says how often it is right. */
export function calibrationTables(predictions: readonly Prediction[]): Table[] {
  const alone = predictions.filter(({ withOptions }) => !withOptions);
  const groups = grouped(alone, ({ lang, kind }) => ["all", lang, `${lang} ${kind}`]);
  const cells = (group: readonly Judged[]) => [
    String(group.length),
    group.length > 0 ? percent(mean(group.map(({ score }) => score))) : "",
    group.length > 0 ? percent(shareOf(group, ({ right }) => right)) : "",
  ];
  const bins = binned(alone);
  const edge = (i: number) => fixed(i / bins.length, 2);
  return [
    {
      title: "Category: calibration",
      columns: ["set", "texts", "mean score", "right", "expected error (15 bins)"],
      rows: [...groups]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, group]) => [key, ...cells(group), fixed(calibrationError(group), 3)]),
    },
    {
      title: "Category: calibration by score",
      columns: ["score", "texts", "mean score", "right"],
      rows: bins.map((bin, i) => [`${edge(i)} to ${edge(i + 1)}`, ...cells(bin)]),
    },
  ];
}
