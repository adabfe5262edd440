/** A line of the file of prompts, as a request. */
export interface Prompt {
  readonly body: Uint8Array;
  /** What its user says last. */
  readonly text: string;
}

const example = '{"text": "..."} or {"messages": [...]}';

/**
 * Reads a line: a prompt, or JSON that begins with a brace. Undefined for a blank one.
 * Throws an Error that says what is wrong with the line and never quotes it.
 */
export function readPrompt(line: string): Prompt | undefined {
  const said = line.trim();
  if (said === "") return undefined;
  if (!said.startsWith("{")) return ofText(said);
  const request = objectIn(said);
  const { text, messages, model } = request;
  if (typeof text === "string") return ofText(text);
  if (!Array.isArray(messages))
    throw new Error(`no "text" that is a string, and no "messages": give ${example}`);
  // With a model of its own it is sent as it stands, byte for byte.
  const body = model === undefined ? JSON.stringify({ model: "auto", ...request }) : said;
  return { body: Buffer.from(body), text: lastUserText(messages) };
}

const ofText = (text: string): Prompt => ({
  body: Buffer.from(JSON.stringify({ model: "auto", messages: [{ role: "user", content: text }] })),
  text,
});

function objectIn(line: string): Readonly<Record<string, unknown>> {
  try {
    // What begins with a brace and is JSON is an object.
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    throw new Error(
      `begins with a brace and is not valid JSON: give ${example}, or a prompt as {"text": "..."}`,
    );
  }
}

/** For people, so that they know the line again; the router reads for itself. */
function lastUserText(messages: readonly unknown[]): string {
  const last = messages.findLast((one) => (one as { role?: unknown } | null)?.role === "user");
  const { content } = (last ?? {}) as { content?: unknown };
  if (typeof content === "string") return content;
  const parts = Array.isArray(content) ? (content as readonly { text?: unknown }[]) : [];
  return parts.flatMap((part) => (typeof part?.text === "string" ? [part.text] : [])).join(" ");
}
