import type { Wants } from "../encode.ts";
import type { OwnTask } from "./own.ts";

/** The part of an encoding that a task is about. */
export const HEADS: Readonly<Record<OwnTask, keyof Wants>> = {
  category: "category",
  jailbreak: "jailbreak",
  pii: "entities",
  embedding: "embedding",
};

/** What of `wants` is left to the embedded model when others serve `tasks`. */
export function sharedWants(wants: Wants, tasks: readonly OwnTask[]): Wants {
  return { ...wants, ...Object.fromEntries(tasks.map((task) => [HEADS[task], false])) };
}
