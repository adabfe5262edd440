import { Misfit, type Part, partOf, textAt } from "./part.ts";

/** Tokens of one piece, three numbers each: id, and the units of the piece from (inclusive) and to (exclusive). */
export type Vocabulary = (piece: string) => Int32Array;

/** `vocab` as a table from token to id. */
export function idsOf(model: Part): Map<string, number> {
  const ids = new Map<string, number>();
  for (const [token, id] of Object.entries(partOf(model.vocab, "model.vocab"))) {
    if (typeof id !== "number") throw new Misfit(`model.vocab: the id of "${token}" is no number`);
    ids.set(token, id);
  }
  return ids;
}

/** The id of the token for what is not known. */
export function unknownOf(model: Part, ids: ReadonlyMap<string, number>): number {
  const id = ids.get(textAt(model, "unk_token", ""));
  if (id === undefined) throw new Misfit("model.unk_token is not in model.vocab");
  return id;
}

/** Ids of the tokens `<0x00>` to `<0xFF>`, by byte. */
export function byteIds(ids: ReadonlyMap<string, number>): Map<number, number> {
  const found = new Map<number, number>();
  for (let byte = 0; byte < 256; byte++) {
    const id = ids.get(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
    if (id !== undefined) found.set(byte, id);
  }
  return found;
}
