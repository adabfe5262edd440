import type { Message } from "./decode.ts";
import type { Answer } from "./encode.ts";

/**
 * Envoy, from where the conversation sits: its messages one after another, and a way to answer the one taken last.
 * Plain calls, not a generator: every layer of one costs each message several turns of the microtask queue
 * (docs/decisions/0004).
 */
export class Dialogue {
  readonly #send: (answer: Answer) => void;
  readonly #messages: Message[] = [];
  #waiting: ((message: Message | undefined) => void) | undefined;
  #controller: AbortController | undefined;
  #ended = false;
  #takenAtMs = 0;
  #busyMs = 0;
  #lastHeardMs = 0;
  /** Set where it was the processor that ended the stream. */
  cutBy: "shutdown" | undefined;

  constructor(send: (answer: Answer) => void) {
    this.#send = send;
  }

  /** Envoy has ended the stream, whatever the way. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Aborts once Envoy has ended the stream. Made when first asked for: what classifies nothing never needs it. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#ended) this.#controller.abort(gone);
    return this.#controller.signal;
  }

  /** When the last message came, on the monotonic clock; 0 before the first. */
  get lastHeardMs(): number {
    return this.#lastHeardMs;
  }

  /** Time between each message's arrival and its answer, added up: the router's own time, Envoy's left out. */
  get busyMs(): number {
    return this.#busyMs;
  }

  /** The next message; undefined once the stream has ended and all that came before was taken. */
  next(): Promise<Message | undefined> {
    const message = this.#messages.shift();
    if (message || this.#ended) {
      this.#takenAtMs = message?.atMs ?? 0;
      return Promise.resolve(message);
    }
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  /** Answers the message taken last. Once the stream has ended nothing is said any more. */
  answer(answer: Answer): void {
    if (this.#ended) return;
    this.#send(answer);
    if (this.#takenAtMs > 0) this.#busyMs += performance.now() - this.#takenAtMs;
    this.#takenAtMs = 0;
  }

  /** Asks Envoy to wait up to `ms` for the answer that it is owed. It may do so where it has a `max_message_timeout`. */
  askTime(ms: number): void {
    if (!this.#ended) this.#send({ kind: "more time", ms });
  }

  /** A message has come. */
  heard(message: Message): void {
    this.#lastHeardMs = message.atMs;
    const wake = this.#waiting;
    if (!wake) {
      this.#messages.push(message);
      return;
    }
    this.#waiting = undefined;
    this.#takenAtMs = message.atMs;
    wake(message);
  }

  /** The stream has ended. Idempotent: grpc-js tells it in up to four ways. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#controller?.abort(gone);
    this.#waiting?.(undefined);
    this.#waiting = undefined;
  }
}

const gone = new DOMException("Envoy ended the exchange", "AbortError");
