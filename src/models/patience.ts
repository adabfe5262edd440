/** How long a reading may take. Milliseconds */
export interface Patience {
  /** For texts of up to 20,000 UTF-16 units together. */
  readonly deadlineMs: number;
  /** Most that longer texts, which get more in proportion, may take. */
  readonly maxDeadlineMs: number;
}

const UNITS = 20_000;

/** Milliseconds that texts of so many UTF-16 units may take together, waiting included. */
export const patienceFor = ({ deadlineMs, maxDeadlineMs }: Patience, units: number): number =>
  Math.max(deadlineMs, Math.min(maxDeadlineMs, Math.round((deadlineMs * units) / UNITS)));

/** The same where it is more than what short texts have; `undefined` where it is not. */
export function overtime(patience: Patience, units: number): number | undefined {
  const ms = patienceFor(patience, units);
  return ms > patience.deadlineMs ? ms : undefined;
}

/** What the configuration's `inference` says. */
export const patienceOf = (inference: {
  readonly deadline_ms: number;
  readonly max_deadline_ms: number;
}): Patience => ({ deadlineMs: inference.deadline_ms, maxDeadlineMs: inference.max_deadline_ms });
