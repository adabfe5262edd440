/** The request fields that the server looks at; any may be missing. */
export type Body = {
  readonly model?: string;
  readonly messages?: readonly { readonly content?: unknown }[];
  readonly prompt?: unknown;
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
  readonly n?: number;
  readonly temperature?: number;
  readonly top_p?: number;
  readonly max_tokens?: number;
  readonly max_completion_tokens?: number;
};

export type Usage = { readonly promptTokens: number; readonly completionTokens: number };

/** The texts a call asks about: one for chat, one for each prompt of a completions call. */
export function promptsOf(chat: boolean, body: Body): string[] {
  if (chat) return [(body.messages ?? []).map(({ content }) => textOf(content)).join("\n")];
  return Array.isArray(body.prompt) ? body.prompt.map(textOf) : [textOf(body.prompt)];
}

/** The words of every answer, as many as may be. */
export function answerWords(model: string, limit: number | undefined): { words: string[]; cut: boolean } {
  const text = `This is ${model}, or rather a stand-in for it: it answers in words like these, one token each.`;
  const words = text.match(/\S+\s*/g) ?? [];
  return { words: words.slice(0, limit), cut: limit !== undefined && limit < words.length };
}

/** The shapes of one answer, which has `choices` choices. */
export function shapes(chat: boolean, id: string, model: string, choices: number, cut: boolean) {
  const head = { id, created: Math.floor(Date.now() / 1_000), model };
  const all = Array.from({ length: choices }, (_, index) => index);
  const finish_reason = cut ? "length" : "stop";
  const chunk = (list: object[], more: object = {}): object => ({
    ...head,
    object: chat ? "chat.completion.chunk" : "text_completion",
    choices: list,
    ...more,
  });
  return {
    /** One word of every choice, as chunks of a stream. */
    piece: (word: string, first: boolean): object[] =>
      all.map((index) => {
        const delta = { ...(first && { role: "assistant" }), content: word };
        return chunk([{ index, ...(chat ? { delta } : { text: word }), finish_reason: null }]);
      }),
    end: (usage: Usage | undefined): object[] => [
      ...all.map((index) => chunk([{ index, ...(chat ? { delta: {} } : { text: "" }), finish_reason }])),
      ...(usage ? [chunk([], { usage: wire(usage) })] : []),
    ],
    whole: (text: string, usage: Usage): object => ({
      ...head,
      object: chat ? "chat.completion" : "text_completion",
      choices: all.map((index) => ({
        index,
        ...(chat ? { message: { role: "assistant", content: text } } : { text }),
        finish_reason,
      })),
      usage: wire(usage),
    }),
  };
}

const wire = ({ promptTokens, completionTokens }: Usage): object => ({
  prompt_tokens: promptTokens,
  completion_tokens: completionTokens,
  total_tokens: promptTokens + completionTokens,
});

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part: { text?: unknown }) => String(part?.text ?? "")).join("\n");
}
