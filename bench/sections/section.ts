import { foreignLimit } from "../lib/cpu.ts";
import { percent, type Table } from "../lib/table.ts";

export interface Effort {
  /** Fewer and shorter rounds: a look, not a measurement. */
  readonly quick: boolean;
}

/** A part of the bench: measures and tells. */
export type Section = (effort: Effort) => Promise<Table[]>;

/** `full` for the real run, `short` for a look. */
export const choose = <T>({ quick }: Effort, full: T, short: T): T => (quick ? short : full);

export function foreignNote(share: number): string[] {
  if (!(share > foreignLimit)) return [];
  return [`WARNING: other processes took ${percent(share, 0)} of the machine; run again when it is quiet.`];
}
