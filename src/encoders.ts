import type { OwnModelSetting } from "./config/own-models.ts";
import type { Config } from "./config/schema.ts";
import { EncodeError, type Encoder } from "./models/encode.ts";
import type { EncoderLimits, EncoderOptions } from "./models/encoder.ts";
import { patienceOf } from "./models/patience.ts";

/** The models that the configuration asks for, and their threads: another answer needs another encoder. */
export const modelsOf = ({ inference }: Config, own: readonly OwnModelSetting[]): EncoderOptions => ({
  ...(inference.model_path !== undefined && { path: inference.model_path }),
  own,
  workers: inference.workers,
  threads: inference.threads,
});

/** What it lets a call cost. */
export const limitsOf = ({ inference }: Config): EncoderLimits => ({
  ...patienceOf(inference),
  queueLimit: inference.queue_limit,
});

/** Both: how to start an encoder for this configuration alone. */
export const encoderOptions = (config: Config, own: readonly OwnModelSetting[]): EncoderOptions => ({
  ...modelsOf(config, own),
  ...limitsOf(config),
});

/** Stands where nothing asks for an encoding; its threads and its memory are saved. */
export const noEncoder: Encoder = {
  encode: () => Promise.reject(new EncodeError("closed", "this configuration started no encoder")),
  labels: [],
  dims: 0,
  fingerprint: "none",
  close: async () => {},
};
