export type Env = Readonly<Record<string, string | undefined>>;

/** Text that came, at least in part, from the environment; which type it is only the schema can say. */
export class Expanded {
  readonly text: string;
  /** The variables it was made from, one at least. */
  readonly names: readonly string[];

  constructor(text: string, names: readonly string[]) {
    this.text = text;
    this.names = names;
  }

  /** `"8811"` as a number where a number is wanted; the text itself where it is none. */
  as(type: string): unknown {
    if (type === "boolean")
      return /^(true|false)$/i.test(this.text) ? this.text.toLowerCase() === "true" : this.text;
    if (type === "integer" || type === "number")
      return /^[-+]?[0-9.]+(e[-+]?[0-9]+)?$/i.test(this.text) ? Number(this.text) : this.text;
    return this.text;
  }
}

const reference = /\$\$\{|\$\{([^}]*)\}/g;
const variable = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

/** Expands `${VAR}` and `${VAR:-default}`; `$${` stays a literal `${`. Text without a reference is returned as it is. */
export function expand(text: string, env: Env, complain: (message: string) => void): string | Expanded {
  if (!text.includes("${")) return text;
  const names = new Set<string>();
  const result = text.replace(reference, (_whole: string, inside: string | undefined) => {
    if (inside === undefined) return "${";
    const [, name, fallback] = variable.exec(inside) ?? [];
    if (name === undefined) {
      complain(
        `\${...} does not hold the name of a variable; write \${NAME} or \${NAME:-default}, or $\${ for a literal \${`,
      );
      names.add("...");
      return "";
    }
    names.add(name);
    const value = env[name];
    if (fallback !== undefined) return value || fallback;
    if (value === undefined)
      complain(`the variable ${name} is not set and has no default; write \${${name}:-default} to give one`);
    return value ?? "";
  });
  return names.size > 0 ? new Expanded(result, [...names]) : result;
}
