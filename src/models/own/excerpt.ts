import type { Shown } from "../reader.ts";
import type { Section } from "../sections.ts";

/** More than the windows that a category or an embedding is made of; what is kept is tokenised in one go. */
const MOST = 8;

/**
 * A text as its reader sees it, put together again from its sections. Of more than 8 only every second, fourth ... is kept,
 * so that a text of any length costs little.
 */
export class Excerpt {
  #step = 1;
  #count = 0;
  #end = 0;
  #kept: { readonly index: number; readonly text: string }[] = [];

  /** @param shown the section as its reader sees it. Sections come in order. */
  add({ start, text }: Section, shown: Shown): void {
    const index = this.#count;
    // What the section before it had, too.
    const had = Math.max(0, this.#end - start);
    this.#count += 1;
    this.#end = start + text.length;
    if (!this.#keeps(index)) return;
    const from = shown.at ? shown.at.findIndex((place) => place >= had) : had;
    this.#kept.push({ index, text: shown.text.slice(from) });
    if (this.#kept.length <= MOST) return;
    this.#step *= 2;
    this.#kept = this.#kept.filter((one) => this.#keeps(one.index));
  }

  get text(): string {
    return this.#kept.map(({ text }) => text).join(this.#step === 1 ? "" : "\n");
  }

  #keeps(index: number): boolean {
    return index % this.#step === 0;
  }
}
