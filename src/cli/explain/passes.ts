import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate as turn } from "node:timers/promises";
import type { Encoder, Encoding, Reading, Wants } from "../../models/encode.ts";

/** One pass of the models over one request. */
export interface Pass {
  readonly reading: Reading;
  /** Grows until the pass begins. */
  wants: Wants;
  begun: boolean;
  readonly encoding: Promise<Encoding>;
}

const held = new AsyncLocalStorage<Pass[]>();

/** What happens within `work` shares passes; they are told beside its result. */
export async function withPasses<T>(
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly passes: readonly Pass[] }> {
  const passes: Pass[] = [];
  return { result: await held.run(passes, work), passes };
}

/**
 * The encoder, asked once within `withPasses` for what is asked of it more than once: two configurations that read a request
 * alike, by the same models, need one pass, also where they want other parts of it.
 */
export function sharingPasses(encoder: Encoder): Encoder {
  return {
    ...encoder,
    encode(reading, wants, signal) {
      const passes = held.getStore();
      if (!passes) return encoder.encode(reading, wants, signal);
      const same = passes.find(
        (pass) => sameReading(pass.reading, reading) && (!pass.begun || covers(pass.wants, wants)),
      );
      if (same) {
        same.wants = either(same.wants, wants);
        return same.encoding;
      }
      // Whoever asks in this turn of the event loop is in time to have its wants added.
      const encoding = turn().then(() => {
        pass.begun = true;
        return encoder.encode(reading, pass.wants, signal);
      });
      const pass: Pass = { reading, wants, begun: false, encoding };
      passes.push(pass);
      return encoding;
    },
  };
}

const sameReading = (one: Reading, other: Reading): boolean =>
  one.focus === other.focus &&
  one.texts.length === other.texts.length &&
  one.texts.every((text, i) => text === other.texts[i]);

const covers = (given: Wants, wanted: Wants): boolean =>
  (Object.keys(wanted) as (keyof Wants)[]).every((part) => given[part] || !wanted[part]);

const either = (one: Wants, other: Wants): Wants => ({
  category: one.category || other.category,
  jailbreak: one.jailbreak || other.jailbreak,
  entities: one.entities || other.entities,
  embedding: one.embedding || other.embedding,
});
