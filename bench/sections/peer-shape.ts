import { ForeignLoad, residentMb } from "../lib/cpu.ts";
import { machineFacts } from "../lib/machine.ts";
import { type Role, startRole } from "../lib/role.ts";
import { best, median } from "../lib/stats.ts";
import { fixed, percent, type Table } from "../lib/table.ts";
import { type Language, languages } from "../lib/texts.ts";
import { ensurePeerShape } from "../peer-shape/file.ts";
import { modernBertBase, parametersOf } from "../peer-shape/shape.ts";
import type { Served } from "../processes/inference.ts";
import { choose, type Effort, foreignNote } from "./section.ts";

const lengths = [32, 128, 512];
/** The peer runs one model each for category, jailbreak and personal data. */
const passes = 3;
const bars = { must: 50, stretch: 100 };
const core = 0;

interface Measured {
  readonly peer: number[];
  readonly ours: Record<Language, number[]>;
  windows: number;
}

/** Our one pass with all four heads against three passes of the peer's model, in CPU time of whole processes. */
export async function peerShape(effort: Effort): Promise<Table[]> {
  const path = ensurePeerShape({ tell: (line) => process.stderr.write(`${line}\n`) });
  await using stack = new AsyncDisposableStack();
  const peer = stack.use(await startRole("peer-shape", { core }));
  const ours = stack.use(await startRole("inference", { core }));
  const peerReady = await peer.ask<number>("load", path);
  const oursReady = await ours.ask<number>("start", { workers: 1, threads: 1 });

  const all = new Map<number, Measured>(
    lengths.map((tokens) => [tokens, { peer: [], ours: { English: [], Chinese: [] }, windows: 0 }]),
  );
  const foreign = new ForeignLoad();
  for (let round = 0; round <= choose(effort, 6, 1); round += 1) {
    // The first round warms up.
    for (const [tokens, measured] of all)
      await foreign.during(() =>
        once(peer, ours, tokens, round === 0 ? undefined : measured, choose(effort, 600, 60)),
      );
  }

  const rows: string[][] = [];
  let worst = Number.POSITIVE_INFINITY;
  for (const [tokens, { peer, ours, windows }] of all) {
    for (const language of languages) {
      const ratios = [best(peer) / best(ours[language]), median(peer) / median(ours[language])] as const;
      worst = Math.min(worst, ...ratios);
      rows.push([
        `${tokens} tokens, ${language}`,
        fixed(windows),
        fixed(best(ours[language]), 2),
        fixed(median(ours[language]), 2),
        fixed(best(peer)),
        fixed(median(peer)),
        `${fixed(ratios[0], 1)}x`,
        `${fixed(ratios[1], 1)}x`,
      ]);
    }
  }
  const each = [...all].map(([tokens, { peer }]) => `${fixed(best(peer) / passes)} at ${tokens}`);
  return [
    {
      title: `peer-shape: CPU ms for a request, ours against ${passes} passes of ModernBERT-base fp32, one thread each`,
      columns: ["", "windows", "ours min", "median", "peer min", "median", "ratio min", "median"],
      rows,
      notes: [
        `bar ${bars.must}x in every row, by both: ${word(worst, bars.must)}; stretch ${bars.stretch}x: ${word(worst, bars.stretch)}; least ${fixed(worst, 1)}x`,
        ...(await machineFacts(false)).slice(0, 1),
        `one pass of the peer's: CPU ms ${each.join(", ")}; ${fixed(parametersOf(modernBertBase) / 1e6)} M parameters`,
        `resident: ours ${fixed(residentMb(ours.pid))} MB, one model of the peer's three ${fixed(residentMb(peer.pid))} MB; ready after ${fixed(oursReady)} and ${fixed(peerReady)} ms`,
        `both on one core, rounds in turn; foreign load ${percent(foreign.share)}`,
        ...foreignNote(foreign.share),
      ],
    },
  ];
}

/** One round at one length; what it took goes to `measured`, if anywhere. */
async function once(
  peer: Role,
  ours: Role,
  tokens: number,
  measured: Measured | undefined,
  forMs: number,
): Promise<void> {
  for (const language of languages) {
    const served = await ours.ask<Served>("load", { language, tokens, clients: 1, forMs });
    measured?.ours[language].push(served.cpuMs);
    if (measured) measured.windows = served.windows;
  }
  const cpuMs = await peer.ask<number>("passes", { tokens, passes });
  measured?.peer.push(cpuMs);
}

const word = (ratio: number, bar: number): string => (ratio >= bar ? "met" : "NOT met");
