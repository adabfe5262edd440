import { fixed, percent, type Table } from "../../bench/lib/table.ts";
import { cosine, threshold } from "../../src/cli/answers.ts";
import { ask, type Run } from "./ask.ts";
import type { PairRecord } from "./data.ts";
import { auc, grouped, shareOf } from "./metrics.ts";

type Scored = PairRecord & { readonly score: number };

/** How pairs are made that are one word, one number, one name or one negation apart and must not match. */
const nearMisses = new Set([
  ...["number", "number_swap", "entity", "entity_swap"],
  ...["negation", "opposite", "one_word"],
]);
/** How pairs are made that ask the same in other words. */
const paraphrases = new Set(["paraphrase", "same_question"]);

const same = ({ label }: PairRecord): boolean => label === 1;
const isParaphrase = ({ how }: PairRecord): boolean => how !== undefined && paraphrases.has(how);
const isNearMiss = ({ how }: PairRecord): boolean => how !== undefined && nearMisses.has(how);

/** How well the cosine tells pairs that match from pairs that must not, by source and by how they were made. */
export async function similarityTables(run: Run, records: readonly PairRecord[]): Promise<Table[]> {
  const texts = [...new Set(records.flatMap(({ a, b }) => [a, b]))];
  const wants = { embedding: true };
  const vectors = await ask(run, "similarity", texts, wants, ({ embedding }) => ({ embedding }));
  const place = new Map(texts.map((text, i) => [text, i]));
  const vectorOf = (text: string) => vectors[place.get(text)!]!;
  const scored = records.map((record) => ({
    ...record,
    score: cosine(vectorOf(record.a), vectorOf(record.b)),
  }));

  const shipped = threshold(run.encoder, "similarity");
  const row = (name: string, positive: readonly Scored[], negative: readonly Scored[]): string[] => {
    const served = ({ score }: Scored) => score >= shipped;
    const scores = (some: readonly Scored[]) => some.map(({ score }) => score);
    return [
      name,
      String(positive.length),
      String(negative.length),
      fixed(auc(scores(positive), scores(negative)), 3),
      percent(shareOf(positive, served)),
      percent(shareOf(negative, served)),
    ];
  };
  const split = (some: readonly Scored[]) => [some.filter(same), some.filter((one) => !same(one))] as const;
  const columns = ["pairs", "same", "other", "AUC", `hits at ${shipped}`, `false hits at ${shipped}`];
  const meant = scored.filter((one) => same(one) && isParaphrase(one));
  const missed = scored.filter((one) => !same(one) && isNearMiss(one));
  const langs = [...new Set(scored.map(({ lang }) => lang))];
  const inLang = (lang: string) => (one: Scored) => one.lang === lang;
  const byHow = grouped(
    scored.filter((one) => !same(one) && one.how !== undefined),
    ({ how, lang }) => [`${how}, ${lang}`],
  );
  const bySource = grouped(scored, ({ source, lang }) => [`${source}, ${lang}`]);
  const sorted = (groups: Map<string, Scored[]>) => [...groups].sort(([a], [b]) => (a < b ? -1 : 1));

  return [
    {
      title: "Similarity: by source",
      columns,
      rows: [
        row("all", ...split(scored)),
        ...langs.map((lang) => row(lang, ...split(scored.filter(inLang(lang))))),
        ...sorted(bySource).map(([key, group]) => row(key, ...split(group))),
      ],
    },
    {
      title: "Similarity: near misses",
      columns,
      rows: [
        row("all near misses", meant, missed),
        ...langs.map((lang) =>
          row(`near misses, ${lang}`, meant.filter(inLang(lang)), missed.filter(inLang(lang))),
        ),
        ...sorted(byHow).map(([key, group]) => row(key, meant.filter(inLang(group[0]!.lang)), group)),
      ],
      notes: [
        `same: paraphrases (${[...paraphrases].join(", ")}) of the same language`,
        `all near misses: ${[...nearMisses].join(", ")}`,
      ],
    },
  ];
}
