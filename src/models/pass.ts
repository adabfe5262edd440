import type { Effort, Entity, Wants } from "./encode.ts";
import { finite, Gist, softmax } from "./gist.ts";
import type { Outputs } from "./model.ts";
import type { OwnModel, OwnModels, OwnResults, OwnTask } from "./own/own.ts";
import { HEADS, sharedWants } from "./own/share.ts";
import type { Reader } from "./reader.ts";
import { type Judged, judged, keyOf, PLAIN } from "./remembered.ts";
import { type Feed, feedOf, ownPart, windowsOf } from "./windows.ts";

/** What a text is to the reading: what the request is about, something to be guarded too, or something hidden in it. */
export type Part = "focus" | "rest" | { readonly kind: string };

/** The windows of one reading, one after another: what they say together, and what they cost. */
export class Pass {
  /** Characters that are not read yet, about. */
  left: number;
  /** Highest probability of all windows so far, and the kind of wrapping it came out of. */
  jailbreak = 0;
  jailbreakBy: string | undefined;
  readonly gist = new Gist();
  /** Models of the operator's own that serve what is wanted. */
  readonly own: OwnModels;
  readonly #reader: Reader;
  readonly #wants: Wants;
  /** What of it is the embedded model's. */
  readonly #shared: Wants;
  readonly #headMs = { category: 0, jailbreak: 0, entities: 0, embedding: 0 };
  #passMs = 0;
  #windows = 0;
  #tokens = 0;
  #remembered = 0;
  #focusWindows = 0;

  /** UTF-16 units: `focus` of the focus, `rest` of all texts together where they are read as well, else 0. */
  constructor(reader: Reader, wants: Wants, focus: number, rest: number) {
    this.#reader = reader;
    this.#wants = wants;
    const tasks = (Object.keys(reader.own) as OwnTask[]).filter((task) => wants[HEADS[task]]);
    this.own = Object.fromEntries(tasks.map((task) => [task, reader.own[task]]));
    this.#shared = sharedWants(wants, tasks);
    const guards = tasks.filter((task) => task === "jailbreak" || task === "pii");
    this.left =
      focus * (tasks.length + Number(this.#reads("focus"))) +
      rest * (guards.length + Number(this.#reads("rest")));
  }

  get effort(): Omit<Effort, "entitiesLeftOut"> {
    return {
      tokens: this.#tokens,
      windows: this.#windows,
      remembered: this.#remembered,
      passMs: this.#passMs,
      headMs: this.#headMs,
    };
  }

  /** Adds the time of `work` to those who asked for it. */
  timed<T>(whose: keyof Wants | Part, work: () => T): T {
    const begun = performance.now();
    try {
      return work();
    } finally {
      this.#spent(whose, begun, this.#wants);
    }
  }

  /**
   * A text through the models that read it window by window; yields after each. Returns what is found in it by the token
   * head, or by the model in its place.
   * @param size what the text takes from `left` for each model.
   */
  async *scan(text: string, part: Part, size: number): AsyncGenerator<number, readonly Entity[], void> {
    const { jailbreak, pii } = this.own;
    const found = this.#reads(part) ? yield* this.#scanShared(text, part, size) : [];
    if (jailbreak) this.#suspect(yield* this.scanOwn(jailbreak, text, size), part);
    if (!pii) return found;
    const entities = yield* this.scanOwn(pii, text, size);
    for (const { score } of entities) finite(score, "entity score");
    return entities;
  }

  /** A text through a model of the operator's own; its time is that of the head in whose place it stands. */
  async *scanOwn<T extends OwnTask>(
    model: OwnModel<T>,
    text: string,
    size: number,
  ): AsyncGenerator<number, OwnResults[T], void> {
    const steps = model.scan(text);
    for (let rest = size; ; ) {
      const begun = performance.now();
      const step = await steps.next();
      this.#headMs[HEADS[model.task]] += performance.now() - begun;
      if (step.done) return step.value;
      const after = text.length > 0 ? (size * step.value) / text.length : 0;
      this.left = Math.max(0, this.left - (rest - after));
      rest = after;
      yield this.left;
    }
  }

  async *#scanShared(
    text: string,
    part: Part,
    size: number,
  ): AsyncGenerator<number, readonly Entity[], void> {
    const { about, wordpiece } = this.#reader;
    const wants = this.#shared;
    const guards = wants.jailbreak || wants.entities;
    const begun = performance.now();
    const tokens = wordpiece.tokenise(text);
    const windows = windowsOf(tokens.ids.length, about.window);
    const logits = this.#blank(tokens.ids);
    this.#spent(part, begun, wants);
    for (const [i, window] of windows.entries()) {
      this.left = Math.max(0, this.left - size / windows.length);
      const counts = part === "focus" && this.#counts();
      if (!guards && !counts) continue;
      const begun = performance.now();
      const length = window.end - window.start;
      const feed = feedOf(tokens, window, wordpiece);
      const verdict = counts ? await this.#read(feed) : await this.#recall(feed);
      if (wants.jailbreak) this.#suspect(verdict.jailbreak, part);
      if (wants.entities) write(verdict, window.start, ownPart(windows, i), logits, about.tags.length);
      this.#windows += 1;
      this.#tokens += length;
      this.#spent(part, begun, wants);
      yield this.left;
    }
    return wants.entities ? this.timed("entities", () => this.#reader.decode(text, tokens, logits)) : [];
  }

  /** Whether the embedded model has to read a text. */
  #reads(part: Part): boolean {
    const { category, jailbreak, entities, embedding } = this.#shared;
    return jailbreak || entities || (part === "focus" && (category || embedding));
  }

  #suspect(probability: number, part: Part): void {
    if (finite(probability, "probability of a jailbreak") <= this.jailbreak) return;
    this.jailbreak = probability;
    this.jailbreakBy = typeof part === "string" ? undefined : part.kind;
  }

  /** Whether the next window of the focus is one of those that category and embedding are made of. */
  #counts(): boolean {
    const { category, embedding } = this.#shared;
    this.#focusWindows += 1;
    return (category || embedding) && this.gist.wants(this.#focusWindows - 1);
  }

  async #read({ ids, cases }: Feed): Promise<Judged> {
    const out = await this.#reader.run(ids, cases);
    this.gist.add(this.#focusWindows - 1, out, ids.length - 2);
    return this.#judge(out);
  }

  async #recall(feed: Feed): Promise<Judged> {
    const { remembered, run } = this.#reader;
    const key = keyOf(feed);
    const before = remembered.get(key);
    if (before) {
      this.#remembered += 1;
      return before;
    }
    const verdict = this.#judge(await run(feed.ids, feed.cases));
    remembered.put(key, verdict);
    return verdict;
  }

  #judge(out: Outputs): Judged {
    const { about } = this.#reader;
    const probabilities = softmax(out.guard, about.temperature.guard);
    return judged(out, about.tags.length, probabilities[about.guard_labels.indexOf("jailbreak")]!);
  }

  /** Logits of tokens that are all plainly outside of any entity. */
  #blank(ids: Int32Array): Float32Array {
    const tags = this.#reader.about.tags.length;
    const logits = new Float32Array(this.#shared.entities ? ids.length * tags : 0);
    for (let row = 0; row < logits.length; row += tags) logits[row] = PLAIN;
    return logits;
  }

  /** What was hidden is read for the heads of `wants` that guard alone, and is their own time. */
  #spent(whose: keyof Wants | Part, begun: number, wants: Wants): void {
    const ms = performance.now() - begun;
    if (whose === "focus" || whose === "rest") this.#passMs += ms;
    else if (typeof whose === "string") this.#headMs[whose] += ms;
    else for (const head of ["jailbreak", "entities"] as const) if (wants[head]) this.#headMs[head] += ms;
  }
}

/** Copies the rows of a window's `own` tokens to where they stand in the text. */
function write(
  { places, logits }: Judged,
  start: number,
  own: { readonly start: number; readonly end: number },
  into: Float32Array,
  tags: number,
): void {
  for (const [i, place] of places.entries()) {
    const token = start + place;
    if (token >= own.start && token < own.end)
      into.set(logits.subarray(i * tags, (i + 1) * tags), token * tags);
  }
}
