import type { OtlpSettings } from "../settings.ts";

const growth = 1.5;
const jitter = 0.2;

/**
 * Milliseconds to wait after the attempt of this number, the first being 1. What the collector asked for is never
 * shortened; routers that were all told the same come back spread out.
 * @param random in [0, 1).
 */
export function backoffMs(
  attempt: number,
  retry: OtlpSettings["retry"],
  askedMs: number | undefined,
  random: () => number,
): number {
  if (askedMs !== undefined) return askedMs * (1 + jitter * random());
  const wait = Math.min(retry.initialBackoffMs * growth ** (attempt - 1), retry.maxBackoffMs);
  return wait * (1 - jitter + 2 * jitter * random());
}

/** `retry-after`: seconds or an HTTP date, as milliseconds from now; anything else is no answer. */
export function retryAfterMs(header: string | undefined, nowMs = Date.now()): number | undefined {
  const text = header?.trim() ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  // Dates have a day's name: `Date.parse` would take "-1" for a year.
  const date = /^[A-Z][a-z]{2}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}
