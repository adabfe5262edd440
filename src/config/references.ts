import { addressFault } from "./address.ts";
import { hint } from "./nearest.ts";
import { withoutVariables } from "./origins.ts";
import { checkOwnModels } from "./own-models.ts";
import type { Path, Report } from "./problem.ts";
import type { Category, Config, Model, ModelScore } from "./schema.ts";
import { checkTracing } from "./tracing-references.ts";

/**
 * Checks between keys: names that must exist, names that must differ, sections that need each other. Runs on files
 * with other problems too, so a value that was refused may be missing here, whatever its type says.
 */
export function checkReferences(config: Config, open: Report): void {
  const report = withoutVariables(config, open);
  checkService(config, report);
  checkInference(config, report);
  checkNotYet(config, report);
  checkOwnModels(config, report);
  checkTracing(config, report);
  checkEndpoints(config, report);
  for (const [name, model] of Object.entries(config.model_config)) checkModel(config, name, model, report);
  checkModelsReachable(config, report);
  checkDefaultModel(config, report);
  config.categories.forEach((category, i) => {
    checkCategory(config, category, ["categories", i], report);
  });
  checkDistinct(config.categories, "categories", "category", report);
  checkKeywordRules(config, report);
  for (const [name, family] of Object.entries(config.reasoning_families)) {
    if (family.type !== "chat_template_kwargs" || family.parameter !== undefined) continue;
    report.problem(["reasoning_families", name, "parameter"], 'required with type "chat_template_kwargs"');
  }
}

function checkInference({ inference }: Config, report: Report): void {
  const { deadline_ms, max_deadline_ms } = inference;
  if (max_deadline_ms < deadline_ms) {
    const message = `must be at least inference.deadline_ms, which is ${deadline_ms}`;
    report.problem(["inference", "max_deadline_ms"], message);
  }
}

function checkService(
  { server, admin, semantic_cache, classifier, model_config }: Config,
  report: Report,
): void {
  const addresses = [
    [["server", "listen"], server.listen],
    [["server", "status_listen"], server.status_listen],
    [["admin", "listen"], admin.listen],
  ] as const;
  for (const [path, address] of addresses) {
    const port = Number(/:([0-9]+)$/.exec(address ?? "")?.[1] ?? 0);
    if (port > 65_535) report.problem(path, `port must be 0 to 65535, not ${port}`);
    const first = addresses.find(([, other]) => other !== undefined && other === address && port > 0);
    if (first && first[0] !== path) report.problem(path, `must not be the address of ${first[0].join(".")}`);
  }
  if (
    semantic_cache.enabled &&
    semantic_cache.backend_type !== undefined &&
    semantic_cache.backend_type !== "memory"
  ) {
    const message = `the backend "${semantic_cache.backend_type}" is not available; use "memory" or set enabled: false`;
    report.problem(["semantic_cache", "backend_type"], message);
  }
  const policed = Object.entries(model_config).find(
    ([, model]) => model.pii_policy.pii_types_allowed.length > 0,
  );
  if (policed && !classifier.pii_model?.enabled) {
    const message = "has no effect: personal data is not looked for without classifier.pii_model";
    report.warn(["model_config", policed[0], "pii_policy", "pii_types_allowed"], message, "key");
  }
}

/** Values that load but that nothing heeds so far. */
function checkNotYet({ model_config }: Config, report: Report): void {
  for (const [name, model] of Object.entries(model_config)) {
    if (model.pricing)
      report.warn(["model_config", name, "pricing"], "not implemented: there are no cost metrics");
  }
}

function checkEndpoints({ vllm_endpoints }: Config, report: Report): void {
  vllm_endpoints.forEach(({ address }, i) => {
    const fault = address === undefined ? undefined : addressFault(address);
    if (fault !== undefined) report.problem(["vllm_endpoints", i, "address"], fault);
  });
  checkDistinct(vllm_endpoints, "vllm_endpoints", "endpoint", report);
}

function checkDistinct(
  named: readonly { readonly name: string }[],
  key: string,
  what: string,
  report: Report,
): void {
  const first = new Map<string, number>();
  named.forEach(({ name }, i) => {
    if (name === undefined) return;
    // Categories are looked up in any case, and two endpoints that differ by case only are a mistake as well.
    const earlier = first.get(name.toLowerCase());
    if (earlier === undefined) first.set(name.toLowerCase(), i);
    else
      report.problem([key, i, "name"], `duplicate ${what} name "${name}"; ${key}[${earlier}] has it already`);
  });
}

function checkModel(config: Config, name: string, model: Model, report: Report): void {
  const path = ["model_config", name];
  const endpoints = config.vllm_endpoints.map((endpoint) => endpoint.name);
  model.preferred_endpoints.forEach((endpoint, i) => {
    mustBeOneOf(
      endpoint,
      endpoints,
      "endpoint",
      "vllm_endpoints",
      [...path, "preferred_endpoints", i],
      report,
    );
  });
  const families = Object.keys(config.reasoning_families);
  mustBeOneOf(
    model.reasoning_family,
    families,
    "family",
    "reasoning_families",
    [...path, "reasoning_family"],
    report,
  );
}

function checkModelsReachable({ model_config, vllm_endpoints }: Config, report: Report): void {
  const models = Object.entries(model_config);
  if (vllm_endpoints.length === 0 && models.length > 0) {
    report.warn(["model_config"], "no vllm_endpoints: Envoy has to route by the header x-selected-model");
    return;
  }
  for (const [name, model] of models) {
    if (model.preferred_endpoints.length > 0) continue;
    report.warn(["model_config", name], "no preferred_endpoints: its requests are answered with 503");
  }
}

function checkDefaultModel({ default_model, model_config, categories }: Config, report: Report): void {
  if (default_model === undefined) {
    if (categories.length === 0) return;
    report.warn(["default_model"], "not set: a request that fits no category has no model to go to");
    return;
  }
  const models = Object.entries(model_config);
  const names = models.flatMap(([name, model]) => [name, ...model.loras.map((lora) => lora.name)]);
  if (names.length > 0) mustBeOneOf(default_model, names, "model", "model_config", ["default_model"], report);
}

function checkCategory(config: Config, category: Category, path: Path, report: Report): void {
  const models = Object.keys(config.model_config);
  category.model_scores.forEach((score, i) => {
    const at = [...path, "model_scores", i];
    if (models.length > 0)
      mustBeOneOf(score.model, models, "model", "model_config", [...at, "model"], report);
    checkLora(config, score, [...at, "lora_name"], report);
  });
}

function checkLora(
  { model_config }: Config,
  { model, lora_name }: ModelScore,
  path: Path,
  report: Report,
): void {
  if (lora_name === undefined || model === undefined) return;
  const loras = model_config[model]?.loras.map((lora) => lora.name);
  // A model that is not configured was reported at its own key, unless no model is configured at all.
  if (loras === undefined) {
    if (Object.keys(model_config).length === 0)
      report.problem(path, `model "${model}" is not in model_config`);
  } else if (loras.length === 0) report.problem(path, `model "${model}" has no loras`);
  else if (!loras.includes(lora_name)) {
    const known = loras.map((lora) => `"${lora}"`).join(", ");
    report.problem(path, `model "${model}" has no LoRA "${lora_name}"; it has ${known}`);
  }
}

function checkKeywordRules({ keyword_rules, categories }: Config, report: Report): void {
  const names = categories.map((category) => category.name);
  keyword_rules.forEach(({ category }, i) => {
    mustBeOneOf(category, names, "category", "categories", ["keyword_rules", i, "category"], report);
  });
}

function mustBeOneOf(
  name: string | undefined,
  names: readonly string[],
  what: string,
  where: string,
  path: Path,
  report: Report,
): void {
  if (name === undefined || names.includes(name)) return;
  const known = names.filter((known) => known !== undefined);
  report.problem(path, `no ${what} "${name}" in ${where}${hint(name, known)}`);
}
