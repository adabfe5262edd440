import type { Entity } from "./encode.ts";
import { mergeEntities } from "./entities.ts";
import type { Joined } from "./sections.ts";

/** Entities of one reading that are told: the event loop unpacks them all in one go. */
const MOST = 10_000;
/** Shared by the texts without any; there may be a million of these. */
const NONE: readonly Entity[] = [];

/** Gathers what is found in the texts of a reading, wherever it lies in them or across them. Offsets: all texts joined. */
export class Findings {
  readonly #texts: Joined;
  /** Not settled yet. */
  #recognised: Entity[] = [];
  #decoded: Entity[] = [];
  /** Entities that were hidden, one of each type for each place. */
  readonly #hidden = new Map<string, Entity>();
  readonly #told = new Map<number, Entity[]>();
  #count = 0;
  #leftOut = 0;
  /** Of each type the highest score that is told, and the surest entity that is not. */
  readonly #best = new Map<string, number>();
  readonly #spare = new Map<string, Entity>();

  constructor(texts: Joined) {
    this.#texts = texts;
  }

  /** `Effort.entitiesLeftOut`. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** @param entity one that crosses a border between texts is given to each that it touches. */
  add(entity: Entity): void {
    const open = entity.by === "recogniser" ? this.#recognised : this.#decoded;
    if (open.length >= MOST) {
      this.#leave(entity);
      return;
    }
    for (const { index, start, end } of this.#texts.touched(entity.start, entity.end)) {
      const offset = this.#texts.startOf(index);
      open.push({ ...entity, start: offset + start, end: offset + end });
    }
  }

  /** @param entity found in a text that was hidden in another, with the offsets of that whole wrapping. */
  addHidden(entity: Entity): void {
    const key = `${entity.type} ${entity.start} ${entity.end}`;
    const before = this.#hidden.get(key);
    if (!before && this.#hidden.size >= MOST) this.#leave(entity);
    else if (entity.score > (before?.score ?? -1)) this.#hidden.set(key, entity);
  }

  /** Nothing that is added from now on begins before `upTo`: of what lies there one of those that overlap is kept. */
  settle(upTo: number): void {
    const border = this.#gapBefore(upTo);
    const [recognised, open] = parted(this.#recognised, border);
    const [decoded, guessed] = parted(this.#decoded, border);
    this.#recognised = open;
    this.#decoded = guessed;
    for (const entity of mergeEntities(recognised, decoded)) this.#tell(entity);
  }

  /**
   * One list per text, in text order and with offsets into it; 10,000 entities altogether, and of each type the surest. Only
   * what was hidden, for it shares its wrapping, and what was found beyond the 10,000 may overlap with others.
   */
  lists(): (readonly Entity[])[] {
    this.settle(Number.POSITIVE_INFINITY);
    for (const entity of this.#hidden.values()) this.#tell(entity);
    for (const entity of this.#spare.values()) {
      if (entity.score <= (this.#best.get(entity.type) ?? -1)) continue;
      this.#leftOut -= 1;
      this.#place(entity);
    }
    return this.#texts.texts.map((_, i) => this.#told.get(i)?.sort((a, b) => a.start - b.start) ?? NONE);
  }

  /** The last place up to `upTo` that lies within no entity, nor within a chain of those that overlap. */
  #gapBefore(upTo: number): number {
    const open = [...this.#recognised, ...this.#decoded].sort((a, b) => a.start - b.start);
    let [start, end] = [0, 0];
    for (const entity of open) {
      if (entity.start >= end) start = entity.start;
      if (start >= upTo) return upTo;
      end = Math.max(end, entity.end);
      if (end > upTo) return start;
    }
    return upTo;
  }

  #tell(entity: Entity): void {
    if (this.#count >= MOST) {
      this.#leave(entity);
      return;
    }
    this.#count += 1;
    this.#place(entity);
  }

  #place(entity: Entity): void {
    const { type, score } = entity;
    if (score > (this.#best.get(type) ?? -1)) this.#best.set(type, score);
    for (const { index, start, end } of this.#texts.touched(entity.start, entity.end)) {
      const list = this.#told.get(index) ?? [];
      list.push({ ...entity, start, end });
      this.#told.set(index, list);
    }
  }

  #leave(entity: Entity): void {
    this.#leftOut += 1;
    if (entity.score > (this.#spare.get(entity.type)?.score ?? -1)) this.#spare.set(entity.type, entity);
  }
}

/** Those that begin before `border`, and the others. */
function parted(entities: readonly Entity[], border: number): [before: Entity[], behind: Entity[]] {
  const before: Entity[] = [];
  const behind: Entity[] = [];
  for (const entity of entities) (entity.start < border ? before : behind).push(entity);
  return [before, behind];
}
