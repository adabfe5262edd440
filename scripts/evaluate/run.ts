import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { asMarkdown, asText, type Table } from "../../bench/lib/table.ts";
import { startEncoder } from "../../src/models/encoder.ts";
import { ROOT } from "../lib/settings.ts";
import type { Run } from "./ask.ts";
import { readAuthored } from "./authored.ts";
import { calibrationTables, categoryTables, type Prediction, predict } from "./category.ts";
import { type Data, findData, joined, readData } from "./data.ts";
import { heldOutTable } from "./held-out.ts";
import { everyday, jailbreakTables } from "./jailbreak.ts";
import { piiTables } from "./pii.ts";
import { similarityTables } from "./similarity.ts";

// `npm run evaluate`: what the shipped model is worth, through the runtime that serves it.

const parts = ["category", "calibration", "jailbreak", "pii", "similarity"] as const;
type Part = (typeof parts)[number];

const help = `npm run evaluate -- [--data DIR] [--only PART,...] [--held-out FILE] [--markdown]

  --data      the collection; else DATA, else ../shared/data. Development files alone are read: <task>/*dev.jsonl[.gz]
  --only      of: ${parts.join(", ")}
  --held-out  also prints the figures of a file of training/evaluate.py --json
  --model     model directory; else models/
  --workers   threads that encode (default: one per core)
  --markdown  tables as Markdown`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      data: { type: "string" },
      only: { type: "string" },
      "held-out": { type: "string" },
      model: { type: "string" },
      workers: { type: "string", default: String(availableParallelism()) },
      markdown: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(help);
    return 0;
  }
  const wanted = new Set((values.only?.split(",") ?? parts) as Part[]);
  const unknown = [...wanted].filter((part) => !parts.includes(part));
  if (unknown.length > 0) throw new Error(`no such part: ${unknown.join(", ")}\n\n${help}`);
  const workers = Number(values.workers);
  if (!Number.isInteger(workers) || workers < 1) throw new Error("--workers needs a whole number from 1");

  const folder = findData(values.data ?? process.env.DATA, join(ROOT, "..", "shared", "data"));
  if (folder === undefined) {
    console.log("nothing is evaluated: the data collection is not here (name its folder by --data or DATA)");
    return 0;
  }
  const data = joined(readData(folder), readAuthored(join(ROOT, "training", "authored")));

  const print = (table: Table): void => console.log(values.markdown ? asMarkdown(table) : asText(table));
  const heldOut = values["held-out"] && heldOutTable(values["held-out"]);
  const encoder = await startEncoder({
    ...(values.model !== undefined && { path: values.model }),
    workers,
    deadlineMs: 3_600_000,
    queueLimit: 8 * workers,
  });
  try {
    const { fingerprint, thresholds } = encoder;
    const shown = Object.entries(thresholds).map(([head, value]) => `${head} ${value}`);
    console.log(`model ${fingerprint}, thresholds: ${shown.join(", ")}\n`);
    const run = { encoder, inFlight: 4 * workers, progress };
    for await (const table of tables(run, data, wanted)) print(table);
    if (heldOut) print(heldOut);
  } finally {
    await encoder.close();
  }
  return 0;
}

async function* tables(run: Run, data: Data, wanted: ReadonlySet<Part>): AsyncGenerator<Table> {
  const has = (part: Part, records: readonly unknown[]): boolean => {
    if (wanted.has(part) && records.length === 0) console.error(`${part}: no texts, left out`);
    return wanted.has(part) && records.length > 0;
  };
  let predictions: Promise<Prediction[]> | undefined;
  const predicted = () => {
    predictions ??= predict(run, data.category);
    return predictions;
  };
  if (has("category", data.category)) yield* categoryTables(await predicted());
  if (has("calibration", data.category)) yield* calibrationTables(await predicted());
  if (has("jailbreak", data.jailbreak))
    yield* await jailbreakTables(run, [...data.jailbreak, ...everyday(data.category)]);
  if (has("pii", data.pii)) yield* await piiTables(run, data.pii);
  if (has("similarity", data.similarity)) yield* await similarityTables(run, data.similarity);
}

/** A line per tenth, on standard error. */
function progress(part: string, done: number, of: number): void {
  const tenth = (n: number) => Math.floor((n * 10) / of);
  if (tenth(done) > tenth(done - 1)) console.error(`${part}: ${done} of ${of}`);
}

process.exit(
  await main().catch((error: Error) => {
    console.error(error.message);
    return 1;
  }),
);
