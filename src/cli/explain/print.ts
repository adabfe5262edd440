import type { Candidate, Decision, Endpoint } from "./decision.ts";
import type { Category, Jailbreak, PersonalData } from "./detectors.ts";
import type { Explanation } from "./explanation.ts";
import { beginning, block, plain, unbroken } from "./layout.ts";

/** For people: a block for each stage, in the order of the pipeline. Ends without a line break. */
export function printed(of: Explanation): string {
  const { classification, pii_detection, jailbreak_detection, routing_decision, backend_selection } = of;
  const notRun = (part: string) => [`not run: ${of.not_run[part]}`];
  const none = Object.values(of.not_run);
  const stages = [
    block("category", classification ? categoryLines(classification) : notRun("classification")),
    block("pii", pii_detection ? personalDataLines(pii_detection) : notRun("pii_detection")),
    block(
      "jailbreak",
      jailbreak_detection ? [jailbreakLine(jailbreak_detection)] : notRun("jailbreak_detection"),
    ),
    block("cache", [`not asked: ${of.not_run.cache}`]),
    block("model", routing_decision ? modelLines(routing_decision, of) : notRun("routing_decision")),
    ...(routing_decision ? [block("reasoning", [reasoningLine(routing_decision, classification)])] : []),
    block("endpoint", backend_selection ? [endpointLine(backend_selection)] : notRun("backend_selection")),
  ];
  return [
    ...(new Set(none).size === 1 && none.length === 6 ? [block("stages", [`none ran: ${none[0]}`])] : stages),
    ...(of.upstream ? upstreamBlocks(of.upstream) : []),
    ...(of.answer ? [block("answer", answerLines(of.answer))] : []),
    block("outcome", [[of.outcome, of.reason].filter(Boolean).join(": ")]),
  ].join("\n");
}

const score = (value: number | null): string => (value === null ? "?" : value.toFixed(4));

function categoryLines(of: Category): string[] {
  const { category, threshold, keyword_rule: rule, category_scores, error } = of;
  if (rule) {
    const words = rule.keywords.map((word) => JSON.stringify(plain(word))).join(", ");
    return [
      `${category}: keyword_rules[${rule.place}] holds (${rule.operator} of ${words}); the model is not asked`,
    ];
  }
  if (error) return [`none: ${error}`];
  const all = Object.entries(category_scores);
  const [best] = all[0] ?? [];
  const behind = of.runner_up === null ? "" : `; ${score(of.margin)} ahead of ${of.runner_up}`;
  const said =
    category !== null
      ? `${category}: ${score(of.confidence)} reaches the threshold ${threshold}${behind}`
      : (of.confidence ?? 0) < threshold
        ? `none: ${best} has ${score(of.confidence)}, below the threshold ${threshold}${behind}`
        : `none: ${best} has ${score(of.confidence)} and is no category of the configuration${behind}`;
  const scores = all.map(([name, value]) => `${name} ${score(value)}`.replaceAll(" ", unbroken));
  return [said, scores.join("  ")];
}

function personalDataLines({ types, threshold, scores, may_not_see, action, error }: PersonalData): string[] {
  if (error) return [`the detector failed: ${error}; ${action}`];
  const refused = Map.groupBy(Object.entries(may_not_see), ([, denied]) => denied.join(", "));
  return [
    `${types.length > 0 ? `found ${types.join(", ")}` : "nothing found"} (threshold ${threshold}): ${action}`,
    ...scores.map(({ type, score: value, by }) => {
      const below = value < threshold ? ", below the threshold" : "";
      return `  ${type} ${score(value)} by the ${by}${below}`;
    }),
    ...[...refused].map(
      ([denied, models]) =>
        `  ${denied} may not be seen by ${models.map(([model]) => plain(model)).join(", ")}`,
    ),
  ];
}

function jailbreakLine({ detected, score: value, threshold, hidden_in, action, error }: Jailbreak): string {
  if (error) return `the guard failed: ${error}; ${action}`;
  const hidden = hidden_in === null ? "" : ` (hidden in ${hidden_in})`;
  const how = detected ? `reaches the threshold ${threshold}` : `below the threshold ${threshold}`;
  return `${score(value)}${hidden} ${how}: ${action}`;
}

function modelLines(
  { selected_model, strategy, reason, candidates, margin }: Decision,
  of: Explanation,
): string[] {
  if (selected_model === null) return [`none: ${reason}`];
  if (strategy === "specified") return [`${plain(selected_model)}: the client named it`];
  const ahead = margin === null ? "" : `, ${margin} ahead of the next`;
  const category = of.classification?.category;
  const chosen = candidates.find((one) => one.chosen);
  const why =
    chosen?.score === null
      ? "default_model"
      : `the best of ${category}${candidates.some(({ refused }) => refused) ? " that may see the request" : ""}`;
  return [`${plain(selected_model)}: ${why}${ahead}`, ...candidates.map(candidateLine)];
}

function candidateLine({ model, score: own, chosen, refused }: Candidate): string {
  const note = refused ? `  refused by its ${refused}` : chosen ? "  chosen" : "";
  return `  ${plain(model)} ${own ?? "default"}${note}`;
}

function reasoningLine({ reasoning }: Decision, classification: Category | null): string {
  if (!reasoning) return "as the client says: it named the model";
  const { enabled, effort, family, reason } = reasoning;
  const entropy = classification?.entropy ?? null;
  return [
    enabled ? `on, effort ${effort}` : "off",
    family === null ? ", no reasoning_family" : `, family ${family}`,
    `: ${reason}`,
    entropy === null ? "" : ` (entropy ${score(entropy)})`,
  ].join("");
}

function endpointLine({ name, address, reason, candidates }: Endpoint): string {
  if (reason === "left_to_envoy") return "left to Envoy's routes: there are no vllm_endpoints";
  if (name === null) return "none: the model has no endpoint with a weight";
  if (candidates.length === 1) return `${name} ${address}, the only one`;
  const shares = candidates.map((one) => `${one.name} ${Number((one.share * 100).toFixed(1))} %`);
  return `one of ${shares.join(", ")}; this time ${name} ${address}`;
}

function upstreamBlocks({
  headers,
  removed_headers,
  traceparent,
  body,
  response_headers,
}: Upstream): string[] {
  const { fields, system_prompt: prompt } = body;
  const changes = [
    ...Object.entries(fields).map(([key, { old, new: now }]) => {
      if (now === null) return `${key} removed`;
      const value = plain(JSON.stringify(now));
      return old === null ? `${key} added: ${value}` : `${key}: ${plain(JSON.stringify(old))} -> ${value}`;
    }),
    ...(prompt
      ? [`system prompt of ${prompt.category}, ${prompt.mode}: ${JSON.stringify(beginning(prompt.text, 60))}`]
      : []),
  ];
  const changedHeaders = [
    ...Object.entries(headers).map(([name, value]) => `${name}: ${plain(value)}`),
    ...(traceparent ? ["traceparent: of this exchange"] : []),
    ...(removed_headers.length > 0 ? [`without ${removed_headers.map(plain).join(", ")}`] : []),
  ];
  return [
    block("body", changes.length > 0 ? changes : ["as the client sent it"]),
    block("upstream", changedHeaders.length > 0 ? changedHeaders : ["the client's headers as they are"]),
    ...(Object.keys(response_headers).length > 0
      ? [
          block(
            "on 2xx",
            Object.entries(response_headers).map(([name, value]) => `${name}: ${plain(value)}`),
          ),
        ]
      : []),
  ];
}

const answerLines = ({ status, headers, body }: NonNullable<Explanation["answer"]>): string[] => [
  `status ${status}`,
  ...Object.entries(headers).map(([name, value]) => `${name}: ${plain(value)}`),
  plain(typeof body === "string" ? body : JSON.stringify(body)),
];

type Upstream = NonNullable<Explanation["upstream"]>;
