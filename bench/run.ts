import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { machineFacts } from "./lib/machine.ts";
import { asMarkdown, asText, type Table } from "./lib/table.ts";
import { bodies } from "./sections/bodies.ts";
import { codec } from "./sections/codec.ts";
import { envoy } from "./sections/envoy.ts";
import { inference } from "./sections/inference.ts";
import { peerShape } from "./sections/peer-shape.ts";
import { reload } from "./sections/reload.ts";
import type { Section } from "./sections/section.ts";
import { start } from "./sections/start.ts";
import { streams } from "./sections/streams.ts";
import { tracing } from "./sections/tracing.ts";

/** In the order in which they run: Envoy's first, because its rows are what users feel. */
const sections: Record<string, Section> = {
  envoy,
  tracing,
  streams,
  codec,
  bodies,
  inference,
  "peer-shape": peerShape,
  start,
  reload,
};

const help = `npm run bench -- [--only NAME,...] [--quick] [--save]

  --only   of: ${Object.keys(sections).join(", ")}
  --quick  short rounds, about a minute in all: a look, not a measurement
  --save   also writes the tables of a whole, full run to bench/last.md`;

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    quick: { type: "boolean", default: false },
    save: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

if (values.save && (values.only || values.quick)) {
  console.error("--save keeps whole, full runs: leave --only and --quick out");
  process.exit(1);
}
const wanted = values.only?.split(",") ?? Object.keys(sections);
const unknown = wanted.filter((name) => !sections[name]);
if (values.help || unknown.length > 0) {
  console.log(unknown.length > 0 ? `no such part: ${unknown.join(", ")}\n\n${help}` : help);
  process.exit(unknown.length > 0 ? 1 : 0);
}

const facts = [
  `date      ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC${values.quick ? ", --quick" : ""}`,
  ...(await machineFacts(wanted.includes("envoy"))),
];
console.log(`${facts.join("\n")}\n`);

const tables: Table[] = [];
const started = performance.now();
for (const name of wanted) {
  for (const table of await sections[name]!(values)) {
    tables.push(table);
    console.log(asText(table));
  }
}
console.log(`took ${((performance.now() - started) / 1000).toFixed(0)} s`);

if (values.save) {
  const text = `${["```text", ...facts, "```", ""].join("\n")}\n${tables.map(asMarkdown).join("\n")}`;
  writeFileSync(new URL("./last.md", import.meta.url), text);
}
process.exit(0);
