import type { Message } from "./decode.ts";

/**
 * The messages of one stream, in order, as something to wait on. `signal` aborts once Envoy has ended the stream:
 * work that nobody waits for any longer stops there.
 */
export class Inbox {
  #waiting: ((message: Message | undefined) => void) | undefined;
  readonly #messages: Message[] = [];
  #controller: AbortController | undefined;
  #ended = false;
  #takenAtMs = 0;
  #busyMs = 0;

  /** Time between each message's arrival and its answer, added up: the router's own time, Envoy's left out. */
  get busyMs(): number {
    return this.#busyMs;
  }

  /** The answer to the message taken last is on its way. */
  answered(): void {
    if (this.#takenAtMs > 0) this.#busyMs += performance.now() - this.#takenAtMs;
    this.#takenAtMs = 0;
  }

  /** Envoy has ended the stream, whatever the way. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Made when first asked for: most exchanges that classify nothing never need it. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#ended) this.#controller.abort(gone);
    return this.#controller.signal;
  }

  push(message: Message): void {
    if (this.#waiting) {
      const wake = this.#waiting;
      this.#waiting = undefined;
      this.#takenAtMs = message.atMs;
      wake(message);
    } else this.#messages.push(message);
  }

  /** Idempotent: grpc-js tells the end in up to four ways. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#controller?.abort(gone);
    const wake = this.#waiting;
    this.#waiting = undefined;
    wake?.(undefined);
  }

  /** The next message; undefined once the stream has ended and all that came before was taken. */
  next(): Promise<Message | undefined> {
    const message = this.#messages.shift();
    if (message) this.#takenAtMs = message.atMs;
    if (message || this.#ended) return Promise.resolve(message);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }
}

const gone = new DOMException("Envoy ended the exchange", "AbortError");
