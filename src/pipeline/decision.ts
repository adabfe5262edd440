import type { Classified } from "./classified.ts";
import type { RoutableModel } from "./models.ts";

export interface Decision {
  readonly strategy: "auto" | "specified";
  readonly model: RoutableModel;
  readonly category: Classified["category"];
  /** How the body must ask for reasoning; undefined leaves the client's own fields alone. */
  readonly reasoning: { readonly enabled: boolean; readonly effort: string } | undefined;
}
