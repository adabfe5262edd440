import { type Fields, fieldsOf, nameOf } from "./answer.ts";
import { withoutEscapes } from "./request-text.ts";

interface Call {
  name: string;
  arguments: string;
  /** The beginning of an escape whose end is yet to come. */
  escape: string;
}

/** Calls of one choice; what comes after them is left out. */
const mostCalls = 32;

/**
 * Gathers tool calls from the pieces of a stream. A piece belongs to the call that its id or, without one that is known,
 * its index names; a call begins with a new index, or with a new id and a name. Some servers send a new id with each piece.
 */
export class SpokenCalls {
  readonly #limit: number;
  readonly #all: Call[] = [];
  readonly #byIndex = new Map<number | "function", Call>();
  readonly #byId = new Map<string, Call>();

  /** `limit`: characters of the arguments of each call; once it is passed, nothing is added. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** `whole`: a message, not a piece of one: then each call stands by itself, whatever it is numbered. */
  add({ tool_calls, function_call }: Fields, whole: boolean): void {
    const calls = Array.isArray(tool_calls) ? tool_calls.slice(0, mostCalls) : [];
    for (const [position, value] of calls.entries()) {
      const call = fieldsOf(value);
      const said = fieldsOf(call?.function);
      if (!call || !said) continue;
      const { index } = call;
      const at = typeof index === "number" && Number.isInteger(index) && index >= 0 ? index : position;
      this.#say(whole ? this.#begin() : this.#callOf(at, nameOf(call.id), said), said);
    }
    const called = fieldsOf(function_call);
    if (called) this.#say(whole ? this.#begin() : this.#callOf("function", undefined, called), called);
  }

  /** Names and arguments, one call a line, in the order in which they began. */
  text(): string {
    return this.#all
      .map((call) => {
        const given = call.arguments + call.escape;
        // What stands behind a name without a sign between looks like a part of it.
        return call.name + (call.name === "" || given === "" || given.startsWith("{") ? "" : " ") + given;
      })
      .filter((line) => line !== "")
      .join("\n");
  }

  #callOf(at: number | "function", id: string | undefined, said: Fields): Call | undefined {
    const known = id === undefined ? undefined : this.#byId.get(id);
    if (known) return known;
    const open = this.#byIndex.get(at);
    if (open && (id === undefined || nameOf(said.name) === undefined)) return open;
    const call = this.#begin();
    if (!call) {
      // What follows is not the call's that had this index before.
      this.#byIndex.delete(at);
      return undefined;
    }
    this.#byIndex.set(at, call);
    if (id !== undefined) this.#byId.set(id, call);
    return call;
  }

  #begin(): Call | undefined {
    if (this.#all.length >= mostCalls) return undefined;
    const call: Call = { name: "", arguments: "", escape: "" };
    this.#all.push(call);
    return call;
  }

  #say(call: Call | undefined, { name, arguments: more }: Fields): void {
    if (!call) return;
    // Some servers repeat the name with each piece.
    if (typeof name === "string" && name !== call.name && call.name.length <= this.#limit) call.name += name;
    if (typeof more !== "string" || call.arguments.length > this.#limit) return;
    const given = call.escape + more;
    call.escape = unfinished.exec(given)?.[0] ?? "";
    call.arguments += withoutEscapes(given.slice(0, given.length - call.escape.length));
  }
}

/** A backslash may be the end of another escape, or the beginning of one. */
const unfinished = /\\(?:u[0-9a-fA-F]{0,3})?$/;
