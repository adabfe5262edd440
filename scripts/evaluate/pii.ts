import { percent, type Table } from "../../bench/lib/table.ts";
import { reported } from "../../src/cli/answers.ts";
import type { Entity } from "../../src/models/encode.ts";
import { RECOGNISED } from "../../src/models/recognisers.ts";
import { ask, type Run } from "./ask.ts";
import type { PiiRecord } from "./data.ts";
import { type Counts, f1, precision, recall } from "./metrics.ts";

interface Span {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

/** What a text holds and what was found in it, of the types that were annotated; offsets in UTF-16 units. */
interface Compared {
  readonly record: PiiRecord;
  readonly wanted: readonly Span[];
  readonly found: readonly Entity[];
}

/** Types with a form of their own. A postcode mostly has none: what the recognisers do not see the token head does. */
const structured: ReadonlySet<string> = new Set(RECOGNISED.filter((type: string) => type !== "ZIP_CODE"));

/** Precision, recall and F1 of exact spans with their type: by source, by type, and of the recognisers alone. */
export async function piiTables(run: Run, records: readonly PiiRecord[]): Promise<Table[]> {
  const texts = records.map(({ text }) => text);
  const compared = await ask(run, "pii", texts, { entities: true }, ({ entities }, i) => {
    const record = records[i]!;
    const known = record.annotated && new Set(record.annotated);
    const counts = ({ type }: Span) => known?.has(type) ?? true;
    return {
      record,
      wanted: inUnits(record).filter(counts),
      found: reported(entities[0] ?? [], run.encoder).filter(counts),
    };
  });
  const types = [
    ...new Set(compared.flatMap(({ wanted, found }) => [...wanted, ...found].map(({ type }) => type))),
  ];
  const columns = ["set", "texts", "spans", "precision", "recall", "F1"];
  const row = (
    name: string,
    some: readonly Compared[],
    spans: (span: Span | Entity) => boolean,
  ): string[] => {
    const counts = countsOf(some, spans);
    return [
      name,
      String(some.length),
      String(counts.wanted),
      percent(precision(counts)),
      percent(recall(counts)),
      percent(f1(counts)),
    ];
  };
  const every = () => true;
  const ofType = (type: string) => (span: Span) => span.type === type;
  const byRecogniser = (span: Span | Entity) =>
    structured.has(span.type) && (!("by" in span) || span.by === "recogniser");
  const rowsBy = (keyOf: (record: PiiRecord) => string) =>
    [...Map.groupBy(compared, ({ record }) => keyOf(record))]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, group]) => row(key, group, every));
  const looked = (type: string) => compared.filter(({ record }) => record.annotated?.includes(type) ?? true);

  return [
    {
      title: "Personal data: exact spans, by source",
      columns,
      rows: [
        row("all", compared, every),
        ...rowsBy(({ lang }) => lang),
        ...rowsBy(({ source, lang }) => `${source}, ${lang}`),
      ],
    },
    {
      title: "Personal data: exact spans, by type",
      columns,
      rows: types.sort().map((type) => row(type, looked(type), ofType(type))),
      notes: ["texts: those in which the type was annotated"],
    },
    {
      title: "Personal data: what has a structure, by the recognisers alone",
      columns,
      rows: [
        row("all", compared, byRecogniser),
        ...types
          .filter((type) => structured.has(type))
          .map((type) => row(type, looked(type), (span) => span.type === type && byRecogniser(span))),
      ],
    },
  ];
}

function countsOf(compared: readonly Compared[], spans: (span: Span | Entity) => boolean): Counts {
  const counts: Counts = { hits: 0, found: 0, wanted: 0 };
  for (const { wanted, found } of compared) {
    const key = ({ type, start, end }: Span) => `${type} ${start} ${end}`;
    const want = new Set(wanted.filter(spans).map(key));
    const got = new Set(found.filter(spans).map(key));
    counts.wanted += want.size;
    counts.found += got.size;
    counts.hits += [...got].filter((one) => want.has(one)).length;
  }
  return counts;
}

/** Spans with their offsets counted in UTF-16 units instead of code points. */
function inUnits({ text, spans }: PiiRecord): Span[] {
  const at: number[] = [];
  let units = 0;
  for (const character of text) {
    at.push(units);
    units += character.length;
  }
  at.push(units);
  return spans.map(({ start, end, label }) => ({ type: label, start: at[start]!, end: at[end]! }));
}
