/** Something that is done in steps. */
export interface Task {
  /** How much is left to do, in any unit. */
  readonly left: number;
}

/** Every so many turns go by age, so that the small never keep the large waiting for good. */
const AGED = 8;

/** Decides whose turn is next: the one with the least left, for it is done soonest; now and then the oldest. */
export class Turns<T extends Task> {
  /** In order of arrival. */
  readonly #tasks = new Set<T>();
  #turn = 0;

  add(task: T): void {
    this.#tasks.add(task);
  }

  remove(task: T): void {
    this.#tasks.delete(task);
  }

  /** All that wait, the oldest first. */
  [Symbol.iterator](): IterableIterator<T> {
    return this.#tasks.values();
  }

  next(): T | undefined {
    this.#turn += 1;
    const aged = this.#turn % AGED === 0;
    let chosen: T | undefined;
    for (const task of this.#tasks) {
      if (aged) return task;
      if (!chosen || task.left < chosen.left) chosen = task;
    }
    return chosen;
  }
}
