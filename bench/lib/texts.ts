import type { Wordpiece } from "../../src/models/wordpiece/tokenizer.ts";
import { promptMaker } from "./prompts.ts";

export const languages = ["English", "Chinese"] as const;
export type Language = (typeof languages)[number];

const subjects = ["一条河", "月亮", "一座老桥", "集市", "一颗彗星", "发动机", "森林", "小提琴"];
const ways = ["在冬天", "随着时间", "在压力下", "在夜里", "逐渐", "在理论上", "大规模地", "在实践中"];
const verbs = ["改变", "承载", "减慢", "分开", "温暖", "塑造", "跟随", "支撑"];
const objects = ["海岸", "它的轨道", "沉重的货物", "收成", "这座城市", "一根细线", "潮汐", "声音"];
const asks = ["请解释", "请描述", "请总结", "请说明", "请讨论", "请概述"];

/** [CLS] and [SEP]. */
const marks = 2;

/**
 * Texts of exactly `tokens` tokens of the embedded model, its two marks included, where they fit into one window. Always
 * the same sequence, and never the same text twice: the encoder remembers what it has read.
 */
export function textMaker(tokenizer: Wordpiece, language: Language, tokens: number): () => string {
  const source = language === "English" ? promptMaker(2 * tokens) : chineseMaker(tokens);
  const made = new Set<string>();
  const wanted = tokens - marks;
  return () => {
    for (let attempt = 0; attempt < 10_000; attempt += 1) {
      const long = source();
      const end = tokenizer.tokenise(long).ends[wanted - 1];
      if (end === undefined) continue;
      // A cut inside a word may make other tokens of what is left of it.
      const text = long.slice(0, end);
      if (made.has(text) || tokenizer.tokenise(text).ids.length !== wanted) continue;
      made.add(text);
      return text;
    }
    throw new Error(`no new text of ${tokens} tokens (${language}) could be made`);
  };
}

function chineseMaker(tokens: number): () => string {
  let state = 54_321 + tokens;
  const pick = (from: readonly string[]) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return from[(state >>> 16) % from.length]!;
  };
  return () => {
    let text = "";
    // No vocabulary has one token for three of these characters on average.
    while (text.length < 3 * tokens)
      text += `${pick(asks)}${pick(subjects)}如何${pick(ways)}${pick(verbs)}${pick(objects)}。`;
    return text;
  };
}
