import type { Option } from "./command.ts";

/** `--config`, as every command that reads a configuration has it. */
export const configOption: Option = {
  type: "string",
  value: "FILE",
  description: "configuration; else CONFIG_PATH, CONFIG_FILE, /config/config.yaml",
};
