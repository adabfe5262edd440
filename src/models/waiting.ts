import { BANDS, bandOf } from "./hand.ts";
import type { Pending } from "./pool.ts";

/** Jobs that wait for a thread, in order of arrival within their band. */
export class WaitingRoom {
  readonly #bands: Pending[][] = Array.from({ length: BANDS }, () => []);
  #count = 0;
  #bytes = 0;

  get count(): number {
    return this.#count;
  }

  /** Two for each UTF-16 unit, the most that a text takes. */
  get bytes(): number {
    return this.#bytes;
  }

  add(pending: Pending): void {
    this.#bands[bandOf(pending.size)]!.push(pending);
    this.#count += 1;
    this.#bytes += 2 * pending.size;
  }

  /** Whether it was there. */
  remove(pending: Pending): boolean {
    const band = this.#bands[bandOf(pending.size)]!;
    const place = band.indexOf(pending);
    if (place < 0) return false;
    band.splice(place, 1);
    this.#count -= 1;
    this.#bytes -= 2 * pending.size;
    return true;
  }

  /** Gives each band's first to `take` for as long as it takes them; the small first. */
  offer(take: (pending: Pending) => boolean): void {
    for (const band of this.#bands) {
      for (let first = band[0]; first && take(first); first = band[0]) this.remove(first);
    }
  }

  /** Empties it. */
  takeAll(): Pending[] {
    this.#count = 0;
    this.#bytes = 0;
    return this.#bands.flatMap((band) => band.splice(0));
  }
}
