import { ForeignLoad } from "../lib/cpu.ts";
import { chatBody } from "../lib/prompts.ts";
import { startRole } from "../lib/role.ts";
import { best, median } from "../lib/stats.ts";
import { fixed, percent, type Table } from "../lib/table.ts";
import { choose, type Effort, foreignNote } from "./section.ts";

interface Repeated {
  readonly micros: number[];
  readonly cpuMicros: number;
}

const sizes = [2, 20, 220];
/** Of performance.md and the design: 220 KB prompts, classification apart. */
const bar = { kb: 220, perSecond: 1500 };
const works = ["decisions", "reading", "jsonParse"] as const;

/** Parse, route and edit of large bodies, in alternating rounds; no model, no transport. */
export async function bodies(effort: Effort): Promise<Table[]> {
  await using role = await startRole("decisions", { core: 0 });
  const foreign = new ForeignLoad();
  const rows: string[][] = [];
  const notes: string[] = [];
  for (const kb of sizes) {
    const body = bodyOf(kb * 1000);
    const rounds: Record<(typeof works)[number], Repeated[]> = { decisions: [], reading: [], jsonParse: [] };
    for (let round = 0; round <= choose(effort, 4, 2); round += 1) {
      for (const work of works) {
        const order = { body, forMs: choose(effort, 400, 80) };
        const measured = await foreign.during(() => role.ask<Repeated>(work, order));
        // The first round warms the compiler up.
        if (round > 0) rounds[work].push(measured);
      }
    }
    const cpu = (work: (typeof works)[number]) => best(rounds[work].map(({ cpuMicros }) => cpuMicros));
    const p50 = median(rounds.decisions.flatMap(({ micros }) => micros));
    const perSecond = 1e6 / cpu("decisions");
    rows.push([
      `${kb} KB`,
      fixed(p50, 1),
      fixed(cpu("decisions"), 1),
      fixed(perSecond),
      fixed(cpu("reading"), 1),
      fixed(cpu("jsonParse"), 1),
    ]);
    if (kb === bar.kb)
      notes.push(
        `bar ${bar.perSecond} decisions/s/core at ${kb} KB: ${perSecond >= bar.perSecond ? "met" : "NOT met"}`,
      );
  }
  return [
    {
      title: "bodies: parse, route and edit, without a model",
      columns: [
        "body",
        "p50 µs",
        "CPU µs",
        "decisions/s/core",
        "reading alone, CPU µs",
        "JSON.parse, CPU µs",
      ],
      rows,
      notes: [...notes, `foreign load ${percent(foreign.share)}`, ...foreignNote(foreign.share)],
    },
  ];
}

/** A conversation of a kilobyte a turn, with the escapes and the non-ASCII that real ones have. */
function bodyOf(bytes: number): string {
  const turn = 'He said: "it holds".\nThe span is 1.2 km – naïve? See C:\\bridge. '.repeat(14);
  const turns: string[] = [];
  for (let size = 0; size < bytes - 1000; size += Buffer.byteLength(JSON.stringify(turn))) turns.push(turn);
  const messages = turns.map((content, i) => ({ role: i % 2 === 0 ? "user" : "assistant", content }));
  const body = JSON.parse(chatBody("auto", "What is a number?")) as { messages: object[] };
  return JSON.stringify({ ...body, messages: [...messages, ...body.messages] });
}
