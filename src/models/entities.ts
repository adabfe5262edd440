import type { Entity } from "./encode.ts";

/**
 * One list without overlaps, in text order. A recogniser's span beats a model's, then the higher score wins, then the longer
 * span. But a postal code within an address, and a bare domain that is a company's name, are parts of the model's span.
 */
export function mergeEntities(recognised: readonly Entity[], decoded: readonly Entity[]): Entity[] {
  const whole = new Whole(decoded);
  const ranked = [...recognised.filter((entity) => !whole.holds(entity)), ...decoded].sort(
    (a, b) =>
      Number(a.by === "model") - Number(b.by === "model") ||
      b.score - a.score ||
      b.end - b.start - (a.end - a.start),
  );
  const taken: Entity[] = [];
  const occupied = new Occupied();
  for (const entity of ranked) if (occupied.take(entity.start, entity.end)) taken.push(entity);
  return taken.sort((a, b) => a.start - b.start);
}

/** A bare domain is believed less than this. */
const SURE = 0.8;

/** The model's spans that may hold a recognised one as a part. */
class Whole {
  readonly #units = new Map<number, string>();

  constructor(decoded: readonly Entity[]) {
    for (const { type, start, end } of decoded) {
      if (type !== "STREET_ADDRESS" && type !== "ORGANIZATION") continue;
      for (let i = start; i < end; i++) this.#units.set(i, type);
    }
  }

  holds({ type, start, end, score }: Entity): boolean {
    const holder = this.#units.get(start);
    if (holder === undefined || holder !== this.#units.get(end - 1)) return false;
    return holder === "STREET_ADDRESS" ? type === "ZIP_CODE" : type === "DOMAIN_NAME" && score < SURE;
  }
}

// Marks the characters of accepted spans; spans are short, so this is linear in what was found.
class Occupied {
  readonly #units = new Set<number>();

  take(start: number, end: number): boolean {
    for (let i = start; i < end; i++) if (this.#units.has(i)) return false;
    for (let i = start; i < end; i++) this.#units.add(i);
    return true;
  }
}
