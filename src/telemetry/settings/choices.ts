/** Why a text cannot be used, in words that follow the name of what holds it. */
export class Fault {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}

/** A value and where it is from: `default`, `file`, or the name of a variable. */
export interface Choice<T> {
  readonly value: T;
  readonly from: string;
}

export type Variables = Readonly<Record<string, string | undefined>>;

/** Whether a value comes from the environment. */
export const isVariable = (from: string) => from !== "file" && from !== "default";

/** Chooses each value from its sources, the strongest first, and keeps what has to be said about those it passed over. */
export class Choices {
  readonly warnings: string[] = [];
  readonly #variables: Variables;
  readonly #written: (path: string) => boolean;

  constructor(variables: Variables, written: (path: string) => boolean) {
    this.#variables = variables;
    this.#written = written;
  }

  /** The variable's text; empty is not set. */
  text(name: string): string | undefined {
    return this.#variables[name]?.trim() || undefined;
  }

  /** What the file says at this path below `observability.tracing`, its default included. */
  file<T>(path: string, value: T): Choice<T> {
    return { value, from: this.#written(`observability.tracing.${path}`) ? "file" : "default" };
  }

  /** The first of these variables that is set to something usable; undefined: none is. */
  variable<T>(
    names: readonly string[],
    parse: (text: string, name: string) => T | Fault,
  ): Choice<T> | undefined {
    for (const name of names) {
      const text = this.text(name);
      if (text === undefined) continue;
      const value = parse(text, name);
      if (!(value instanceof Fault)) return { value, from: name };
      this.warnings.push(`${name} ${value.why}; it is ignored`);
    }
    return undefined;
  }

  /** A variable's value, else the file's. */
  pick<T>(
    names: readonly string[],
    parse: (text: string, name: string) => T | Fault,
    path: string,
    value: T,
  ): Choice<T> {
    return this.variable(names, parse) ?? this.file(path, value);
  }

  /** A flag. Everything but `true` is false, as the specification has it, but a word of neither kind is told. */
  flag(names: readonly string[]): Choice<boolean> | undefined {
    return this.variable(names, (text, name) => {
      if (!/^(?:true|false)$/i.test(text))
        this.warnings.push(`${name} must be true or false, not ${shown(text)}; it is taken for false`);
      return text.toLowerCase() === "true";
    });
  }
}

/** One word of a table, in any case. */
export function wordOf<T>(words: Readonly<Record<string, T>>): (text: string) => T | Fault {
  return (text) => {
    const word = text.toLowerCase();
    if (Object.hasOwn(words, word)) return words[word] as T;
    return new Fault(`must be one of ${Object.keys(words).join(", ")}, not ${shown(text)}`);
  };
}

/** A whole number of this range. */
export function wholeOf(minimum: number, maximum: number): (text: string) => number | Fault {
  return (text) => {
    const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= minimum && value <= maximum) return value;
    return new Fault(`must be a whole number, ${minimum} to ${maximum}, not ${shown(text)}`);
  };
}

/** For a message; never for what may be a secret. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 37)}...` : text);
}

/** `k=v,k=v`, percent-encoded. Faults name the entry by its number: its text may be a secret. */
export function pairsOf(text: string): (readonly [key: string, value: string] | Fault)[] {
  return text
    .split(",")
    .filter((entry) => entry.trim() !== "")
    .map((entry, i) => {
      const at = entry.indexOf("=");
      const key = decoded(entry.slice(0, Math.max(at, 0)));
      const value = decoded(entry.slice(at + 1));
      if (!key || value === undefined)
        return new Fault(`has an entry ${i + 1} that is not key=value with percent-encoding`);
      return [key, value] as const;
    });
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.trim());
  } catch {
    return undefined;
  }
}
