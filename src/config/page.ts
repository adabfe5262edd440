import { range } from "./check.ts";
import type { Shape } from "./kinds.ts";
import { schema } from "./schema.ts";
import { unusedKeys } from "./unused.ts";

const root = schema as unknown as Shape;

const intro = `# Configuration

<!-- Written by \`npm run generate\` from src/config/schema.ts; edit that. -->

One YAML file, named by \`--config FILE\`, else by the variable \`CONFIG_PATH\`, else by \`CONFIG_FILE\`. The file of vLLM
Semantic Router v0.1 loads as it is; what it sets without effect here is listed [at the end](#keys-without-effect).

- An unknown key, a value out of range or a name that refers to nothing keeps the file from loading. All problems are
  reported at once, each with its line: \`config.yaml:12:5 categories[2].scor: unknown key; did you mean "score"?\`
- A key that is empty (\`key:\`, \`key: ""\`) is a key not written: its default holds.
- \`\${VAR}\` and \`\${VAR:-default}\` in a value are replaced from the environment, numbers and booleans included; a
  variable that is not set and has no default is a problem. \`$\${\` is a literal \`\${\`. No message shows what a variable holds.
- [configuration.schema.json](configuration.schema.json) is the JSON Schema of the file, for editors.
`;

/** The reference page. */
export function renderPage(): string {
  const keys = Object.entries(root.properties!);
  const isScalar = ([, { type }]: [string, Shape]) => type !== "object" && type !== "array";
  const single = keys.filter(isScalar).flatMap(([key, shape]) => rows(key, shape, isRequired(root, key)));
  const slices = keys
    .filter((entry) => !isScalar(entry))
    .map(([key, shape]) => `## ${key}\n\n${shape.description}\n\n${grid(heading, inner(key, shape))}`);
  const unused = Object.entries(unusedKeys).map(([key, { believed, here }]) => [
    `\`${key}\``,
    sentence(believed),
    sentence(here),
  ]);
  return [
    intro,
    `## Top level\n\n${grid(heading, single)}`,
    ...slices,
    `## Keys without effect\n\nKeys of v0.1's files that load with a warning and do nothing here; \`semantic-router check FILE\` names those of a file.\n\n${grid(["Key", "What it is taken to do", "Here"], unused)}`,
  ].join("\n");
}

/** The JSON Schema for editors: the schema itself, and the keys without effect marked as deprecated. */
export function editorSchema(): Record<string, unknown> {
  const copy = JSON.parse(JSON.stringify(root)) as Shape;
  for (const [key, { here }] of Object.entries(unusedKeys)) {
    const steps = key.split(".");
    const name = steps.pop()!;
    const owner = steps.reduce(descend, copy);
    Object.assign(owner.properties!, { [name]: { deprecated: true, description: sentence(here) } });
  }
  return { $schema: "http://json-schema.org/draft-07/schema#", title: "Semantic router", ...copy };
}

/** As biome formats it: a list of plain values that fits stands on one line. */
export function renderEditorSchema(): string {
  const text = JSON.stringify(editorSchema(), null, 2);
  const lines = text.replace(/^( *"[\w$]+": )\[([^[\]{}]+)\]/gm, (whole, key: string, items: string) => {
    const line = `${key}[${items.trim().replace(/\n\s*/g, " ")}]`;
    return line.length < 110 ? line : whole;
  });
  return `${lines}\n`;
}

const heading = ["Key", "Type", "Default", "Range", "Meaning"];

function descend(shape: Shape, step: string): Shape {
  if (step !== "*") return shape.properties![step]!;
  return shape.items ?? (shape.additionalProperties as Shape);
}

const isRequired = (owner: Shape, key: string) => owner.required?.includes(key) ?? false;

/** The rows below a key: of a list its entries', of a table its values'. */
function inner(key: string, shape: Shape): string[][] {
  if (shape.items) return inner(`${key}[]`, shape.items);
  if (shape.additionalProperties) return inner(`${key}.<name>`, shape.additionalProperties);
  return Object.entries(shape.properties ?? {}).flatMap(([name, below]) =>
    rows(`${key}.${name}`, below, isRequired(shape, name)),
  );
}

function rows(key: string, shape: Shape, required: boolean): string[][] {
  const isContainer = shape.type === "object" || shape.items?.type === "object";
  const fallback = required ? "required" : isContainer ? "" : code(shape.default);
  const meaning = `${shape.description}${shape.writeOnly ? " Secret: no message shows it." : ""}`;
  const own = [`\`${key}\``, typeOf(shape), fallback, rangeOf(shape), meaning];
  return isContainer ? [own, ...inner(key, shape)] : [own];
}

function typeOf({ type, items }: Shape): string {
  const names = {
    object: "section",
    array: "list",
    string: "text",
    integer: "integer",
    number: "number",
    boolean: "boolean",
  };
  return items && items.type !== "object" ? `list of ${names[items.type]}` : names[type];
}

function rangeOf(shape: Shape): string {
  const values = shape.items?.enum ?? shape.enum;
  if (values) return values.map(code).join(", ");
  if (shape.minItems) return `at least ${shape.minItems}`;
  return range(shape) ?? "";
}

const code = (value: unknown) =>
  value === undefined ? "" : `\`${typeof value === "object" ? JSON.stringify(value) : value}\``;

const sentence = (why: string) => `${why[0]!.toUpperCase()}${why.slice(1)}.`;

function grid(head: string[], body: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return `${[line(head), line(head.map(() => "---")), ...body.map(line)].join("\n")}\n`;
}
