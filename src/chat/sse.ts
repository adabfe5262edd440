import { Gather } from "./gather.ts";

const LF = 10;
const CR = 13;

/** What a line costs beside its bytes, so that a million empty `data:` lines meet the limit too. */
const LINE_COST = 16;

/**
 * One event: its `data` lines joined with LF, and its `event` name ("" when it has none).
 * Events without data are not reported.
 */
export type OnEvent = (data: string, name: string) => void;

/**
 * A server-sent event stream, read as it passes: any chunking, LF, CRLF or CR line ends, comments, a byte order mark.
 * Never throws; memory is bounded by `limit` (bytes of one event), and an event above it is dropped and counted.
 */
export class SseParser {
  readonly #onEvent: OnEvent;
  readonly #limit: number;
  /** The start of a line whose end has not come yet. */
  readonly #line: Gather;
  #data: string | undefined;
  #name = "";
  #cost = 0;
  #tooLarge = false;
  #dropped = 0;
  #atStart = true;
  #afterCr = false;

  constructor(limit: number, onEvent: OnEvent) {
    this.#limit = limit;
    this.#onEvent = onEvent;
    this.#line = new Gather(limit);
  }

  /** Events that were too large to be read. */
  get dropped(): number {
    return this.#dropped;
  }

  push(bytes: Uint8Array): void {
    const size = bytes.length;
    if (size === 0) return;
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, size);
    let start = this.#afterCr && chunk[0] === LF ? 1 : 0;
    this.#afterCr = false;
    for (let at = start; at < size; at++) {
      const byte = chunk[at];
      if (byte !== LF && byte !== CR) continue;
      this.#endLine(chunk, start, at);
      if (byte === CR) {
        if (at + 1 === size) this.#afterCr = true;
        else if (chunk[at + 1] === LF) at++;
      }
      start = at + 1;
    }
    this.#line.add(chunk, start, size);
  }

  /** The stream is over: what stands open is taken as finished, as some servers leave out the last blank line. */
  end(): void {
    this.#endLine(Buffer.alloc(0), 0, 0);
    this.#dispatch();
  }

  #endLine(chunk: Buffer, start: number, end: number): void {
    const line = this.#line;
    let text: string;
    if (line.length === 0 && !line.over) {
      text = chunk.toString("utf8", start, end);
    } else {
      line.add(chunk, start, end);
      if (line.over) this.#tooLarge = true;
      text = line.over ? ":" : line.text();
      line.clear();
    }
    if (this.#atStart) {
      this.#atStart = false;
      if (text.startsWith("\uFEFF")) text = text.slice(1);
    }
    if (text === "") this.#dispatch();
    else this.#field(text);
  }

  #field(text: string): void {
    const colon = text.indexOf(":");
    const field = colon === -1 ? text : text.slice(0, colon);
    if (field !== "data" && field !== "event") return;
    const from = colon === -1 ? text.length : colon + 1;
    const value = text.slice(text[from] === " " ? from + 1 : from);
    if (field === "event") {
      this.#name = value;
      return;
    }
    this.#cost += value.length + LINE_COST;
    if (this.#cost > this.#limit + LINE_COST) this.#tooLarge = true;
    if (this.#tooLarge) this.#data = undefined;
    else this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
  }

  #dispatch(): void {
    const data = this.#data;
    const name = this.#name;
    const tooLarge = this.#tooLarge;
    this.#data = undefined;
    this.#name = "";
    this.#cost = 0;
    this.#tooLarge = false;
    if (tooLarge) this.#dropped++;
    else if (data !== undefined) this.#onEvent(data, name);
  }
}

/** An OpenAI event stream: each frame as one `data:` line of JSON, then `data: [DONE]`. */
export function encodeFrames(frames: readonly object[]): Uint8Array {
  const lines = frames.map((frame) => `data: ${JSON.stringify(frame)}\n\n`);
  return new TextEncoder().encode(`${lines.join("")}data: [DONE]\n\n`);
}
