import { setTimeout as sleep } from "node:timers/promises";

/** Milliseconds that each step of the pretended work takes. */
export type Pace = { readonly queueMs: number; readonly prefillMs: number; readonly tokenMs: number };

/** When things happened, in milliseconds of the wall clock with fractions. */
export type Moments = {
  readonly arrival: number;
  readonly scheduled: number;
  readonly firstToken: number;
  readonly lastToken: number;
};

/**
 * The wall clock in milliseconds with fractions, which never steps back: one for each request, set right where the
 * machine's clock was changed, or stood still, since this process began.
 */
export function startClock(): () => number {
  const drift = Date.now() - performance.timeOrigin - performance.now();
  const origin = performance.timeOrigin + (Math.abs(drift) > 5 ? drift : 0);
  return () => origin + performance.now();
}

/**
 * Pretends to generate: waits as an engine would and hands out one word after the other. Undefined when `gone` said
 * that nobody listens any more.
 */
export async function generate(
  words: readonly string[],
  clock: () => number,
  pace: Pace,
  gone: () => boolean,
  emit: (word: string, index: number) => Promise<void>,
): Promise<Moments | undefined> {
  const arrival = clock();
  await sleep(pace.queueMs);
  const scheduled = clock();
  await sleep(pace.prefillMs);
  const firstToken = clock();
  let lastToken = firstToken;
  for (const [index, word] of words.entries()) {
    if (index > 0) await sleep(pace.tokenMs);
    if (gone()) return undefined;
    lastToken = clock();
    await emit(word, index);
  }
  return { arrival, scheduled, firstToken, lastToken };
}

/** A count of the right size; there is no tokenizer here. */
export const countTokens = (text: string): number => Math.max(1, Math.ceil(text.length / 4));
