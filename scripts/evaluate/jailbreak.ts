import { fixed, percent, type Table } from "../../bench/lib/table.ts";
import { threshold } from "../../src/cli/answers.ts";
import { ask, type Run } from "./ask.ts";
import type { CategoryRecord, GuardRecord } from "./data.ts";
import { auc, cutAt, family, grouped, mean, shareOf } from "./metrics.ts";

type Scored = GuardRecord & { readonly score: number };

const shares = [0.005, 0.01, 0.02];
const isAttack = ({ label }: GuardRecord): boolean => label === "jailbreak";
const isBenign = ({ label }: GuardRecord): boolean => label === "benign";
/** Benign texts that look like attacks. */
const looksAlike = (one: GuardRecord): boolean => isBenign(one) && /hard|look|quoted/.test(one.kind);

/** What people ask in everyday life counts as benign: natural texts of the category set. */
export const everyday = (records: readonly CategoryRecord[]): GuardRecord[] =>
  records
    .filter(({ kind }) => kind === "natural")
    .map(({ text, lang }) => ({ text, lang, label: "benign", kind: "everyday", source: "category set" }));

/** Recall at given shares of false alarms, and what the shipped threshold flags, by kind and by source. */
export async function jailbreakTables(run: Run, records: readonly GuardRecord[]): Promise<Table[]> {
  const texts = records.map(({ text }) => text);
  const scored = await ask(run, "jailbreak", texts, { jailbreak: true }, ({ jailbreak }, i) => ({
    ...records[i]!,
    score: jailbreak,
  }));
  const shipped = threshold(run.encoder, "jailbreak");
  const flagged = ({ score }: Scored) => score >= shipped;
  const flaggedBy = (keyOf: (one: Scored) => string) =>
    [...grouped(scored, (one) => [keyOf(one)])]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, group]) => [
        key,
        String(group.length),
        percent(shareOf(group, flagged)),
        fixed(mean(group.map(({ score }) => score)), 3),
        fixed(
          group.reduce((most, { score }) => Math.max(most, score), 0),
          3,
        ),
      ]);
  const columns = ["set", "texts", "flagged", "mean score", "highest"];

  return [
    {
      title: "Jailbreak: recall by share of false alarms",
      columns: [
        "attacks against",
        "attacks",
        "benign",
        "AUC",
        ...shares.map((share) => `recall at ${percent(share)}`),
        `recall at ${shipped}`,
        `false at ${shipped}`,
      ],
      rows: comparisons(scored).map(([name, attacks, benign]) => {
        const positive = attacks.map(({ score }) => score);
        const negative = benign.map(({ score }) => score);
        return [
          name,
          String(attacks.length),
          String(benign.length),
          fixed(auc(positive, negative), 3),
          ...shares.map((share) => {
            const cut = cutAt(share, negative);
            return percent(shareOf(positive, (score) => score > cut));
          }),
          percent(shareOf(attacks, flagged)),
          percent(shareOf(benign, flagged)),
        ];
      }),
      notes: [
        `${shipped} is the shipped threshold; harmful requests without a trick are neither attacks nor benign`,
      ],
    },
    {
      title: `Jailbreak: flagged at ${shipped}, by kind`,
      columns,
      rows: flaggedBy(({ label, kind, lang }) => `${label}: ${kind}, ${lang}`),
    },
    {
      title: `Jailbreak: flagged at ${shipped}, by source`,
      columns,
      rows: flaggedBy(({ label, source }) => `${label}: ${family(source)}`),
    },
  ];
}

/** Which attacks are told from which benign texts; those of which one side is empty are left out. */
function comparisons(scored: readonly Scored[]): (readonly [string, readonly Scored[], readonly Scored[]])[] {
  const attacks = scored.filter(isAttack);
  const benign = scored.filter(isBenign);
  const langs = [...new Set(scored.map(({ lang }) => lang))];
  const rows = [
    ["all benign", attacks, benign],
    ["look-alikes", attacks, benign.filter(looksAlike)],
    ["all but look-alikes", attacks, benign.filter((one) => !looksAlike(one))],
    ...langs.flatMap((lang) => {
      const ours = (one: Scored) => one.lang === lang;
      return [
        [`all benign, ${lang}`, attacks.filter(ours), benign.filter(ours)] as const,
        [`look-alikes, ${lang}`, attacks.filter(ours), benign.filter(ours).filter(looksAlike)] as const,
      ];
    }),
  ] as const;
  return rows.filter(([, positive, negative]) => positive.length > 0 && negative.length > 0);
}
