import type { Encoding, Entity, Reading, Wants } from "./encode.ts";
import { Findings } from "./findings.ts";
import { finite } from "./gist.ts";
import { withNumbers } from "./numbers.ts";
import { Excerpt } from "./own/excerpt.ts";
import { Pass } from "./pass.ts";
import type { Reader, Wrapped } from "./reader.ts";
import { Joined, owned, type Section } from "./sections.ts";

/**
 * Reads a request, one window of it at a time. After each it yields how many characters are left, about, so that whoever
 * drives it can let others go first, or stop.
 *
 * The focus goes through all heads by itself. Where there are other texts, the heads that guard read all of them joined as
 * well: short ones share windows, and what is split over several is seen whole. Texts that are wrapped in others have
 * windows of their own. A model of the operator's own reads just what the head in whose place it stands would.
 */
export async function* read(
  reader: Reader,
  { texts, focus }: Reading,
  wants: Wants,
): AsyncGenerator<number, Encoding, void> {
  const { temperature } = reader.about;
  const guards = wants.jailbreak || wants.entities;
  const all = new Joined(texts);
  const alone = texts.length === 1 ? all : new Joined([texts[focus]!]);
  const others = guards && texts.length > 1;
  const findings = new Findings(all);
  const pass = new Pass(reader, wants, alone.length, others ? all.length : 0);
  const excerpt = new Excerpt();

  for (const section of alone.sections()) yield* readSection(section, "focus", all.startOf(focus));
  if (others) for (const section of all.sections()) yield* readSection(section, "rest", 0);

  const { gist } = pass;
  const category = yield* gistOf("category", () => gist.category(temperature.category));
  const embedding = yield* gistOf("embedding", () => withNumbers(gist.embedding(), texts[focus]!));
  const entities = wants.entities ? pass.timed("entities", () => findings.lists()) : findings.lists();
  const { jailbreak, jailbreakBy } = pass;
  return {
    category,
    embedding,
    jailbreak,
    ...(jailbreakBy !== undefined && { jailbreakBy }),
    entities,
    effort: { ...pass.effort, entitiesLeftOut: findings.leftOut },
  };

  /** @param offset of the section's text in all texts joined. */
  async function* readSection(section: Section, part: "focus" | "rest", offset: number) {
    // Of the focus among others, the rest of the search is done where it is read with them.
    const search = guards && (part === "rest" || !others);
    if (search && wants.entities) pass.timed("entities", () => findings.settle(section.start));
    const shown = pass.timed(part, () => reader.reveal(section.text));
    if (part === "focus") excerpt.add(section, shown);
    const within = (at: number): number => shown.at?.[at] ?? at;
    const place = (at: number): number => offset + section.start + within(at);
    const found = yield* pass.scan(shown.text, part, section.text.length);
    for (const one of [...found, ...(search ? recognised(shown.text) : [])]) {
      const own = owned(section, within(one.start), within(one.end));
      const from = offset + section.start;
      if (own) findings.add({ ...one, start: from + own.start, end: from + own.end });
    }
    if (!search) return;
    const wrapped = pass.timed({ kind: "any" }, () => reader.hidden(shown.text));
    for (const [kind, group] of Map.groupBy(wrapped, (one) => one.kind)) yield* unwrap(kind, group, place);
  }

  /** What is wrapped in the same way shares windows: a text may hold hundreds of such pieces. */
  async function* unwrap(kind: string, wrapped: readonly Wrapped[], place: (at: number) => number) {
    const inner = new Joined(wrapped.map(({ text }) => text));
    for (const section of inner.sections()) {
      const found = yield* pass.scan(section.text, { kind }, 0);
      for (const one of [...found, ...recognised(section.text)]) {
        for (const { index } of inner.touched(section.start + one.start, section.start + one.end)) {
          const { start, end } = wrapped[index]!;
          findings.addHidden({ ...one, start: place(start), end: place(end) });
        }
      }
    }
  }

  /** @param merge makes it of the windows that were read. */
  async function* gistOf(task: "category" | "embedding", merge: () => Float32Array) {
    if (!wants[task]) return new Float32Array(0);
    const model = pass.own[task];
    if (!model) return pass.timed(task, merge);
    const vector = yield* pass.scanOwn(model, excerpt.text, alone.length);
    for (const value of vector) finite(value, task);
    return vector;
  }

  function recognised(text: string): readonly Entity[] {
    return wants.entities ? pass.timed("entities", () => reader.recognise(text)) : [];
  }
}
