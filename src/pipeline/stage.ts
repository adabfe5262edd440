import { EncodeError } from "../models/encode.ts";
import { StageFault } from "../outcome.ts";
import type { Span, Trace } from "../telemetry/trace.ts";

/**
 * A span as a block: opened, failed and ended here and nowhere else. The parent is always the root of `at`, so stages
 * stay siblings and no exit leaves one open.
 */
export function stage<T>(at: Trace, name: string, work: (span: Span) => T): T {
  const span = at.open(name);
  const failed = (error: unknown): never => {
    span.fail(causeOf(error)).set("error.type", causeOf(error)).end();
    throw error;
  };
  let result: T;
  try {
    result = work(span);
  } catch (error) {
    return failed(error);
  }
  if (!(result instanceof Promise)) {
    span.end();
    return result;
  }
  const ended = (value: unknown) => {
    span.end();
    return value;
  };
  return result.then(ended, failed) as T;
}

/**
 * What a stage does when its model cannot answer: `allow` notes it on the span and goes on with the fallback, `refuse`
 * lets the fault travel to the rim. A client that has gone is neither.
 */
export function orElse<T>(
  name: string,
  onError: "allow" | "refuse",
  fallback: T,
  span: Span,
): (error: unknown) => T {
  return (error) => {
    if (!(error instanceof EncodeError)) throw error;
    if (onError === "refuse") throw new StageFault(name, error.reason);
    span.set("error.type", error.reason).set("stage.on_error", "allow");
    span.fail(`${error.reason}, allowed by on_error`);
    return fallback;
  };
}

/** A word for a failure that is safe to show. */
export function causeOf(error: unknown): string {
  if (error instanceof StageFault || error instanceof EncodeError) return error.reason;
  if (error instanceof DOMException && error.name === "AbortError") return "aborted";
  return error instanceof Error ? error.name : "unknown";
}

/** Milliseconds since a reading of the span's start. */
export const elapsedMs = (span: Span): number => performance.now() - span.startMs;

/**
 * Waits for all, then fails with the first failure: a stage that is still open when the root ends would be lost from
 * its trace.
 */
export async function together<T extends readonly unknown[]>(
  work: { [K in keyof T]: Promise<T[K]> },
): Promise<T> {
  const settled = await Promise.allSettled(work);
  for (const one of settled) if (one.status === "rejected") throw one.reason;
  return settled.map((one) => (one as PromiseFulfilledResult<unknown>).value) as unknown as T;
}
