/** How much may be under way at once. One item always may, whatever it weighs. */
export interface Limits<T> {
  readonly items: number;
  readonly weight: number;
  weigh(item: T): number;
}

/**
 * Works on many items at once and yields the answers in the order of the items, each as soon as all before it are
 * there. Takes no further item while the limits are reached or its reader does not ask for the next answer.
 * Throws what `items` or `work` throw.
 */
export async function* inOrder<T, R>(
  items: AsyncIterable<T> | Iterable<T>,
  work: (item: T) => Promise<R>,
  limits: Limits<T>,
): AsyncGenerator<R> {
  const underWay: { readonly answer: Promise<R>; readonly weight: number }[] = [];
  let weight = 0;
  let state: "open" | "ended" | "left" = "open";
  let change = Promise.withResolvers<void>();
  const changed = (): void => {
    change.resolve();
    change = Promise.withResolvers();
  };
  const isFull = (more: number): boolean =>
    underWay.length > 0 && (underWay.length >= limits.items || weight + more > limits.weight);

  const feed = async (): Promise<void> => {
    for await (const item of items) {
      const own = limits.weigh(item);
      while (isFull(own) && state === "open") await change.promise;
      if (state === "left") return;
      const answer = work(item);
      // It is awaited when its turn comes; until then a failure is nobody's.
      answer.catch(() => {});
      underWay.push({ answer, weight: own });
      weight += own;
      changed();
    }
  };
  const fed = feed().finally(() => {
    if (state === "open") state = "ended";
    changed();
  });
  fed.catch(() => {});

  try {
    for (;;) {
      const first = underWay[0];
      if (first) {
        const answer = await first.answer;
        underWay.shift();
        weight -= first.weight;
        changed();
        yield answer;
      } else if (state === "open") await change.promise;
      else break;
    }
    await fed;
  } finally {
    state = "left";
    changed();
  }
}
