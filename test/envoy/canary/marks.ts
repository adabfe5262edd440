import { createHash } from "node:crypto";

/** Every place where a client, an upstream or an operator may put what no trace, log or error may tell. */
const places = [
  "prompt",
  "systemPrompt",
  "earlierTurn",
  "assistantTurn",
  "toolName",
  "toolDescription",
  "toolParameter",
  "toolArguments",
  "toolResult",
  "completionPrompt",
  "embeddingInput",
  "stopSequence",
  "userField",
  "metadata",
  "emailAddress",
  "authorization",
  "apiKey",
  "cookie",
  "proxyAuthorization",
  "unknownHeader",
  "baggage",
  "query",
  "answer",
  "streamedAnswer",
  "upstreamError",
  "upstreamHeader",
  "configuredPrompt",
  "exporterHeader",
  "exporterHeaderFile",
  "hashKey",
  "garbage",
] as const;

export type Place = (typeof places)[number] | "phoneNumber";

/** What a model of language makes of them must be the same in every run, so they are not drawn anew each time. */
const wordFor = (place: string) =>
  [...createHash("sha256").update(place).digest().subarray(0, 20)]
    .map((byte) => String.fromCharCode(97 + (byte % 26)))
    .join("");

/** One word for each place, found nowhere else. */
export const marks = {
  ...Object.fromEntries(places.map((place) => [place, wordFor(place)])),
  phoneNumber: "2127365081",
} as Readonly<Record<Place, string>>;

/** Where marks stand in a text: as they are, in part, encoded, or as a plain hash that a dictionary would undo. */
export function found(text: string, except: readonly Place[] = []): Place[] {
  return (Object.keys(marks) as Place[]).filter(
    (place) => !except.includes(place) && disguises(marks[place]).some((form) => text.includes(form)),
  );
}

function disguises(mark: string): string[] {
  const bytes = Buffer.from(mark);
  // What stands before it in the encoded text shifts it by up to two bytes.
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString("base64")
      .slice(4, -4),
  );
  const hash = createHash("sha256").update(mark).digest("hex").slice(0, 16);
  const written = /^\d+$/.test(mark) ? [mark.replace(/^(...)(...)(....)$/, "$1-$2-$3")] : [];
  return [mark.slice(0, 10), mark.slice(-10), ...written, ...base64, bytes.toString("hex"), hash];
}
