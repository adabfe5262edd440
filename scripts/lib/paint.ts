import type { Paint } from "../demo/print-tree.ts";

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** Colours for a terminal, and nothing for a file, a pipe or whoever set NO_COLOR. */
export function painter(
  stream: { isTTY?: boolean } = process.stdout,
  env: NodeJS.ProcessEnv = process.env,
): Paint {
  if (!stream.isTTY || env.NO_COLOR) return (_, text) => text;
  return (style, text) => (text ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text);
}
