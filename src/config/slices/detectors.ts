import { choice, flag, item, optional, section, share, text } from "../kinds.ts";

const onError = (what: string, fallback: "allow" | "refuse") =>
  choice(`What a request gets when ${what}.`, ["allow", "refuse"], fallback);

const directory = (what: string) =>
  optional(
    text(
      `Directory of a ${what} of your own, beginning with \`/\`, \`./\` or \`../\`; any other name is not used.`,
    ),
  );

const mapping = (what: string, file: string) =>
  optional(
    text(`The \`${file}\` that names the ${what} of that model; without it its own config.json does.`),
  );

export const classifier = section("Finds the category of a request and the personal data in it.", {
  category_model: section("The category classifier; it runs when there are categories.", {
    threshold: share("Least score at which a category counts; below it the default model is used.", 0.6),
    on_error: onError("the classifier fails; `allow` sends it to the default model", "allow"),
    model_id: directory("classifier"),
    category_mapping_path: mapping("categories", "category_mapping.json"),
  }),
  pii_model: optional(
    item("The detector of personal data; it runs when this section is present.", {
      enabled: flag("`false` switches the detector off without removing the section.", true),
      threshold: share("Least score at which an entity counts as found.", 0.7),
      on_error: onError("the detector fails", "refuse"),
      model_id: directory("token classifier"),
      pii_mapping_path: mapping("tags", "pii_type_mapping.json"),
    }),
  ),
});

export const prompt_guard = section("The detector of jailbreak attempts.", {
  enabled: flag("Switches the detector on.", false),
  threshold: share("Least score at which a text counts as a jailbreak attempt.", 0.7),
  on_error: onError("the detector fails", "refuse"),
  model_id: directory("guard"),
  jailbreak_mapping_path: mapping("labels", "jailbreak_type_mapping.json"),
});
