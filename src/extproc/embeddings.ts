import { JsonError, member, parseJson, stringValue } from "../chat/json.ts";

/** The model an embeddings request names; undefined where the body does not say: upstream will answer that. */
export function embeddingModel(body: Uint8Array, maxDepth: number): string | undefined {
  try {
    const model = member(parseJson(body, { maxDepth }), "model");
    return model?.kind === "string" ? stringValue(model, body) : undefined;
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}
