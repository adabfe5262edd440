const subjects = [
  "a river",
  "the moon",
  "an old bridge",
  "the market",
  "a comet",
  "an engine",
  "the forest",
  "a violin",
];
const verbs = ["changes", "carries", "slows", "divides", "warms", "shapes", "follows", "supports"];
const objects = [
  "the coast",
  "its orbit",
  "a heavy load",
  "the harvest",
  "the city",
  "a thin wire",
  "the tide",
  "sound",
];
const ways = [
  "in winter",
  "over time",
  "under pressure",
  "at night",
  "by degrees",
  "in theory",
  "at scale",
  "in practice",
];
const asks = ["Explain how", "Describe why", "Summarise when", "Show how", "Discuss whether", "Outline how"];

/** How many tokens a word of these texts comes to. */
const tokensPerWord = 1.25;

/** Always the same sequence: two runs of the bench ask the same questions. */
export function promptMaker(tokens: number): () => string {
  let state = 12_345 + tokens;
  const pick = (from: readonly string[]) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return from[(state >>> 16) % from.length]!;
  };
  return () => {
    const words: string[] = [];
    while (words.length * tokensPerWord < tokens) {
      const sentence = `${pick(asks)} ${pick(subjects)} ${pick(verbs)} ${pick(objects)} ${pick(ways)}.`;
      words.push(...sentence.split(" "));
    }
    return words.join(" ");
  };
}

export const chatBody = (model: string, prompt: string, stream = false): string =>
  JSON.stringify({ model, ...(stream && { stream }), messages: [{ role: "user", content: prompt }] });
