import type { About } from "./about.ts";
import type { Entity } from "./encode.ts";
import type { Run } from "./model.ts";
import type { OwnModels } from "./own/own.ts";
import type { Remembered } from "./remembered.ts";
import type { Tokenised } from "./wordpiece/tokens.ts";

/** A text as its reader sees it. `at`: for each of its UTF-16 units, and its end, the place in the original; none: the same. */
export interface Shown {
  readonly text: string;
  readonly at?: Int32Array | undefined;
}

/** A text that is wrapped in another, as its reader sees it, at `start`..`end` there. */
export interface Wrapped {
  readonly kind: string;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** All that it takes to read, on the calling thread. */
export interface Reader {
  readonly about: About;
  readonly wordpiece: { tokenise(text: string): Tokenised; readonly cls: number; readonly sep: number };
  readonly run: Run;
  readonly remembered: Remembered;
  /** Models that stand in the place of a head each. */
  readonly own: OwnModels;
  reveal(text: string): Shown;
  hidden(text: string): readonly Wrapped[];
  recognise(text: string): readonly Entity[];
  /** The token head's entities. logits: (tokens * tags,) */
  decode(text: string, tokens: Tokenised, logits: Float32Array): readonly Entity[];
}
