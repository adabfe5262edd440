import {
  type JsonArray,
  type JsonNode,
  type JsonObject,
  type JsonString,
  member,
  stringValue,
} from "./json.ts";
import { required, wrongType } from "./request-fault.ts";
import { isLabel, stringsIn } from "./request-text.ts";

/** The `content` of one message. */
export interface Content {
  /** Its text parts (or the one string), in order. */
  readonly strings: readonly JsonString[];
  /** The values of `strings`, joined by "\n": a sentence cut into parts is one sentence to a guard. */
  readonly text: string;
  readonly where: string;
  /** Text found outside text parts. */
  readonly others: readonly { readonly text: string; readonly where: string }[];
  readonly onlyText: boolean;
  readonly hasImages: boolean;
}

const TEXT_PARTS = new Set(["text", "input_text", "output_text"]);
const IMAGE_PARTS = new Set(["image_url", "input_image", "image"]);
const MEDIA_PARTS = new Set(
  "image_url input_image image input_audio audio_url audio video_url input_video video file input_file".split(
    " ",
  ),
);

/** Where media parts hold addresses and encoded data, which say nothing to a text model. */
const MEDIA_DATA = new Set(
  "url image_url audio_url video_url data file_data file_url file_id uuid".split(" "),
);

/** Throws `ChatFault`: `wrong_type`, `missing_field`. */
export function readContent(node: JsonNode, bytes: Uint8Array, where: string): Content {
  if (node.kind === "string") {
    const text = stringValue(node, bytes);
    return { strings: [node], text, where, others: [], onlyText: true, hasImages: false };
  }
  if (node.kind === "null") {
    return { strings: [], text: "", where, others: [], onlyText: false, hasImages: false };
  }
  if (node.kind === "array") return readParts(node, bytes, where);
  throw wrongType(where, "a string or an array of parts");
}

function readParts(parts: JsonArray, bytes: Uint8Array, where: string): Content {
  const strings: JsonString[] = [];
  const others: { text: string; where: string }[] = [];
  let first = "";
  let hasImages = false;
  for (const [i, node] of parts.items.entries()) {
    const at = `${where}[${i}]`;
    const part = required(node, "object", at);
    const type = stringValue(required(member(part, "type"), "string", `${at}.type`), bytes);
    if (TEXT_PARTS.has(type)) {
      const text = required(member(part, "text"), "string", `${at}.text`);
      if (strings.length === 0) first = `${at}.text`;
      strings.push(text);
      others.push(...textBeside(part, text, bytes, at));
    } else {
      hasImages ||= IMAGE_PARTS.has(type) || member(part, "image_url") !== undefined;
      const skip = MEDIA_PARTS.has(type) ? isMediaData : isLabel;
      const text = stringsIn(part, bytes, skip).join("\n");
      if (text !== "") others.push({ text, where: at });
    }
  }
  return {
    strings,
    text: strings.map((one) => stringValue(one, bytes)).join("\n"),
    where: strings.length === 1 ? first : where,
    others,
    onlyText: strings.length > 0 && strings.length === parts.items.length,
    hasImages,
  };
}

function isMediaData(key: string, text: string): boolean {
  return MEDIA_DATA.has(key) || isLabel(key, text);
}

/** Text that rides along with a text part, e.g. in its annotations. */
function textBeside(part: JsonObject, own: JsonString, bytes: Uint8Array, where: string) {
  const members = part.members.filter((one) => one.value !== own);
  if (members.length === 1) return [];
  const text = stringsIn({ ...part, members }, bytes, isLabel).join("\n");
  return text === "" ? [] : [{ text, where }];
}
