import { choice, flag, item, list, number, optional, section, table, text, whole } from "../kinds.ts";

/** What the detector of personal data can find. */
export const piiTypes = [
  "AGE",
  "CN_RESIDENT_ID",
  "CREDIT_CARD",
  "DATE_TIME",
  "DOMAIN_NAME",
  "EMAIL_ADDRESS",
  "GPE",
  "IBAN_CODE",
  "IP_ADDRESS",
  "NRP",
  "ORGANIZATION",
  "PERSON",
  "PHONE_NUMBER",
  "STREET_ADDRESS",
  "TITLE",
  "US_DRIVER_LICENSE",
  "US_SSN",
  "ZIP_CODE",
] as const;

export const vllm_endpoints = list(
  "The servers that answer.",
  item("One server.", {
    name: text("Name by which models refer to it and Envoy routes to it."),
    address: text("IPv4 or IPv6 address or DNS name, without scheme, port and path."),
    port: whole("TCP port.", { minimum: 1, maximum: 65_535 }),
    weight: whole("Share of the requests among a model's endpoints; 0 gets none.", {
      minimum: 0,
      default: 1,
    }),
  }),
);

export const model_config = table(
  "The models, by the name that is sent upstream.",
  item("One model.", {
    preferred_endpoints: list("Endpoints that serve it.", text("Name of an endpoint.")),
    pii_policy: section("The personal data that may be sent to it.", {
      allow_by_default: flag("`true` allows every type.", false),
      pii_types_allowed: list("Types allowed all the same.", choice("A type of personal data.", piiTypes)),
    }),
    pricing: optional(
      item("What it costs.", {
        currency: text("Currency of the prices.", { default: "USD" }),
        prompt_per_1m: number("Price of a million prompt tokens.", { minimum: 0, default: 0 }),
        completion_per_1m: number("Price of a million completion tokens.", { minimum: 0, default: 0 }),
      }),
    ),
    reasoning_family: optional(
      text("Key of `reasoning_families`; without it the model gets no reasoning fields."),
    ),
    loras: list(
      "Adapters that `lora_name` may name.",
      item("One adapter.", {
        name: text("Name that is sent upstream."),
        description: optional(text("For people; not read.")),
      }),
    ),
  }),
);

export const reasoning_families = table(
  "How reasoning is switched on in the models of a family.",
  item("One family.", {
    type: choice("The request field that switches it.", ["chat_template_kwargs", "reasoning_effort"]),
    parameter: optional(text("Key set to true inside `chat_template_kwargs`.")),
  }),
);

export const default_model = optional(text("Model of requests that fit no category."));

export const auto_model_name = text(
  "Model name by which a client asks for routing; `auto` always works as well.",
  {
    default: "MoM",
  },
);

export const include_config_models_in_list = flag("List the configured models in `GET /v1/models`.", true);

export const default_reasoning_effort = text(
  "Effort when a category's model names none: `low`, `medium`, `high`.",
  {
    default: "medium",
  },
);
