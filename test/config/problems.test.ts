import assert from "node:assert/strict";
import { test } from "node:test";
import { problemsOf } from "./problems.ts";

const model = "model_config: { m: { preferred_endpoints: [], loras: [{ name: sql }] }, bare: {} }\n";
const score = "{ model: m, score: 1, use_reasoning: true }";
const endpoint = (address: string) => `vllm_endpoints:\n  - { name: a, port: 80, address: "${address}" }`;

const cases: [name: string, text: string, ...want: string[]][] = [
  [
    "a typo deep in a list",
    "categories:\n  - name: math\n    model_scores:\n      - model: m\n        scor: 1\n        use_reasoning: true",
    "c.yaml:4:9 categories[0].model_scores[0].score: required",
    'c.yaml:5:9 categories[0].model_scores[0].scor: unknown key; did you mean "score"?',
  ],
  [
    "a key nothing is close to",
    "logging: { verbosity: 3 }",
    "c.yaml:1:12 logging.verbosity: unknown key; known here: level",
  ],
  [
    "a share above 1",
    "prompt_guard:\n  threshold: 1.5",
    "c.yaml:2:14 prompt_guard.threshold: must be 0 to 1, not 1.5",
  ],
  [
    "a rate below 0",
    "observability: { tracing: { sampling: { rate: -0.1 } } }",
    "c.yaml:1:47 observability.tracing.sampling.rate: must be 0 to 1, not -0.1",
  ],
  [
    "no lower end",
    "semantic_cache: { max_entries: -1 }",
    "c.yaml:1:32 semantic_cache.max_entries: must be 0 or more, not -1",
  ],
  [
    "a fraction",
    "inference: { workers: 1.5 }",
    "c.yaml:1:23 inference.workers: must be a whole number, not 1.5",
  ],
  [
    "not a number",
    "inference: { workers: .nan }",
    "c.yaml:1:23 inference.workers: must be a whole number, not NaN",
  ],
  [
    "a number as text",
    'inference: { workers: "2" }',
    'c.yaml:1:23 inference.workers: must be a whole number, not "2"',
  ],
  [
    "a word as a flag",
    "clear_route_cache: maybe",
    'c.yaml:1:20 clear_route_cache: must be true or false, not "maybe"',
  ],
  ["a number as text key", "default_model: 7", "c.yaml:1:16 default_model: must be text, not 7"],
  ["a list as a section", "server:\n  - a", "c.yaml:1:1 server: must be a mapping, not a list"],
  ["a mapping as a list", "categories:\n  a: 1", "c.yaml:1:1 categories: must be a list, not a mapping"],
  ["an empty list entry", "categories:\n  -", "c.yaml:2:4 categories[0]: must be a mapping, not empty"],
  [
    "one of a few words",
    "observability: { tracing: { exporter: { type: stdot } } }",
    'c.yaml:1:47 observability.tracing.exporter.type: must be one of "otlp", "stdout", not "stdot"; did you mean "stdout"?',
  ],
  [
    "one of two numbers",
    "security: { block_status: 404 }",
    "c.yaml:1:27 security.block_status: must be one of 403, 200, not 404",
  ],
  [
    "listen without a port",
    "server: { listen: localhost }",
    'c.yaml:1:19 server.listen: expected host:port, [IPv6 address]:port or unix:/path, not "localhost"',
  ],
  [
    "listen on an IPv6 address without brackets",
    'server: { listen: "::1:4" }',
    'c.yaml:1:19 server.listen: expected host:port, [IPv6 address]:port or unix:/path, not "::1:4"',
  ],
  [
    "two servers at one address",
    'server: { listen: "[::1]:4", status_listen: "[::1]:4" }',
    "c.yaml:1:45 server.status_listen: must not be the address of server.listen",
  ],
  [
    "a token that no header can carry",
    "admin: { token: schlüssel }",
    "c.yaml:1:17 admin.token: must be of ASCII letters, digits and signs only, as a header is, not text",
  ],
  [
    "listen on port 70000",
    'server: { listen: "0.0.0.0:70000" }',
    "c.yaml:1:19 server.listen: port must be 0 to 65535, not 70000",
  ],
  [
    "a header in upper case",
    "semantic_cache: { tenant_header: X-Tenant }",
    'c.yaml:1:34 semantic_cache.tenant_header: expected a header name in lower case, not "X-Tenant"',
  ],
  [
    "an endpoint without anything",
    "vllm_endpoints:\n  - {}",
    "c.yaml:2:5 vllm_endpoints[0].name: required",
    "c.yaml:2:5 vllm_endpoints[0].address: required",
    "c.yaml:2:5 vllm_endpoints[0].port: required",
  ],
  [
    "an address with a scheme",
    endpoint("https://vllm.example:8000/v1"),
    'c.yaml:2:35 vllm_endpoints[0].address: must be an IP address or a DNS name without a scheme: write "vllm.example", not "https://vllm.example:8000/v1"',
  ],
  [
    "an address with a path",
    endpoint("vllm/v1"),
    'c.yaml:2:35 vllm_endpoints[0].address: must be an IP address or a DNS name without a path: write "vllm", not "vllm/v1"',
  ],
  [
    "an address with a port",
    endpoint("10.0.0.1:8000"),
    'c.yaml:2:35 vllm_endpoints[0].address: must not carry a port: write "10.0.0.1" and set `port: 8000`, not "10.0.0.1:8000"',
  ],
  [
    "an IPv6 address in brackets with a port",
    endpoint("[::1]:8000"),
    'c.yaml:2:35 vllm_endpoints[0].address: must not carry a port: write "::1" and set `port: 8000`, not "[::1]:8000"',
  ],
  [
    "an IPv6 address in brackets",
    endpoint("[::1]"),
    'c.yaml:2:35 vllm_endpoints[0].address: must be an IPv6 address without brackets, not "[::1]"',
  ],
  [
    "a mistyped IPv4 address",
    endpoint("10.0.0.256"),
    'c.yaml:2:35 vllm_endpoints[0].address: must be an IP address or a DNS name, not "10.0.0.256"',
  ],
  [
    "a name with a space",
    endpoint("my host"),
    'c.yaml:2:35 vllm_endpoints[0].address: must be an IP address or a DNS name, not "my host"',
  ],
  [
    "a port out of range",
    "vllm_endpoints: [{ name: a, address: h, port: 0 }]",
    "c.yaml:1:47 vllm_endpoints[0].port: must be 1 to 65535, not 0",
  ],
  [
    "two endpoints of one name",
    "vllm_endpoints:\n  - { name: a, address: h, port: 1 }\n  - { name: A, address: h, port: 2 }",
    'c.yaml:3:13 vllm_endpoints[1].name: duplicate endpoint name "A"; vllm_endpoints[0] has it already',
  ],
  [
    "two categories of one name",
    `${model}categories:\n  - { name: law, model_scores: [${score}] }\n  - { name: law, model_scores: [${score}] }`,
    'c.yaml:4:13 categories[1].name: duplicate category name "law"; categories[0] has it already',
  ],
  [
    "an endpoint nobody defined",
    "vllm_endpoints: [{ name: east, address: h, port: 1 }]\nmodel_config:\n  org/m-1.5:\n    preferred_endpoints: [eats]",
    'c.yaml:4:27 model_config["org/m-1.5"].preferred_endpoints[0]: no endpoint "eats" in vllm_endpoints; did you mean "east"?',
  ],
  [
    "a family nobody defined",
    "reasoning_families: { qwen3: { type: reasoning_effort } }\nmodel_config: { m: { reasoning_family: qwen } }",
    'c.yaml:2:40 model_config.m.reasoning_family: no family "qwen" in reasoning_families; did you mean "qwen3"?',
  ],
  [
    "a family that sets nothing",
    "reasoning_families:\n  q: { type: chat_template_kwargs }",
    'c.yaml:2:3 reasoning_families.q.parameter: required with type "chat_template_kwargs"',
  ],
  [
    "a type of personal data nobody knows",
    "model_config: { m: { pii_policy: { pii_types_allowed: [PERSO] } } }",
    'c.yaml:1:56 model_config.m.pii_policy.pii_types_allowed[0]: must be one of "AGE", "CN_RESIDENT_ID", "CREDIT_CARD", "DATE_TIME", "DOMAIN_NAME", "EMAIL_ADDRESS", "GPE", "IBAN_CODE", "IP_ADDRESS", "NRP", "ORGANIZATION", "PERSON", "PHONE_NUMBER", "STREET_ADDRESS", "TITLE", "US_DRIVER_LICENSE", "US_SSN", "ZIP_CODE", not "PERSO"; did you mean "PERSON"?',
  ],
  [
    "a category without models",
    "categories:\n  - name: law",
    "c.yaml:2:5 categories[0].model_scores: required",
  ],
  [
    "a category with an empty list of models",
    "categories:\n  - { name: law, model_scores: [] }",
    "c.yaml:2:18 categories[0].model_scores: must have at least one entry",
  ],
  [
    "a score of 0, no use_reasoning, an empty model",
    `categories:\n  - name: law\n    model_scores:\n      - { model: "", score: 0 }`,
    "c.yaml:4:9 categories[0].model_scores[0].use_reasoning: required",
    "c.yaml:4:18 categories[0].model_scores[0].model: required",
    "c.yaml:4:29 categories[0].model_scores[0].score: must be more than 0, not 0",
  ],
  [
    "a model nobody defined",
    "model_config: { math: {} }\ncategories: [{ name: a, model_scores: [{ model: maths, score: 1, use_reasoning: true }] }]",
    'c.yaml:2:49 categories[0].model_scores[0].model: no model "maths" in model_config; did you mean "math"?',
  ],
  [
    "a LoRA the model does not have",
    `${model}categories:\n  - { name: a, model_scores: [{ model: m, score: 1, use_reasoning: true, lora_name: sq }] }`,
    'c.yaml:3:85 categories[0].model_scores[0].lora_name: model "m" has no LoRA "sq"; it has "sql"',
  ],
  [
    "a LoRA of a model without any",
    `${model}categories:\n  - { name: a, model_scores: [{ model: bare, score: 1, use_reasoning: true, lora_name: sql }] }`,
    'c.yaml:3:88 categories[0].model_scores[0].lora_name: model "bare" has no loras',
  ],
  [
    "a LoRA of a model that is not configured",
    "categories:\n  - { name: a, model_scores: [{ model: m, score: 1, use_reasoning: true, lora_name: sql }] }",
    'c.yaml:2:85 categories[0].model_scores[0].lora_name: model "m" is not in model_config',
  ],
  [
    "a default model nobody defined",
    `${model}default_model: n`,
    'c.yaml:2:16 default_model: no model "n" in model_config; did you mean "m"?',
  ],
  [
    "a rule for no category",
    "keyword_rules: [{ category: law, operator: OR, keywords: [court] }]",
    'c.yaml:1:29 keyword_rules[0].category: no category "law" in categories',
  ],
  [
    "a rule without words",
    `categories: [{ name: a, model_scores: [${score}] }]\nkeyword_rules:\n  - { category: a, operator: XOR, keywords: [""] }`,
    'c.yaml:3:30 keyword_rules[0].operator: must be one of "AND", "OR", "NOR", not "XOR"; did you mean "OR"?',
    "c.yaml:3:46 keyword_rules[0].keywords[0]: must not be empty",
  ],
  [
    "a backend that is not there",
    "semantic_cache:\n  enabled: true\n  backend_type: milvus",
    'c.yaml:3:17 semantic_cache.backend_type: the backend "milvus" is not available; use "memory" or set enabled: false',
  ],
  ["a key twice", "default_model: a\nserver: {}\ndefault_model: b", "c.yaml:3:1 duplicate key default_model"],
  [
    "a syntax error",
    "server: [",
    "c.yaml:1:10 YAML: Flow sequence in block collection must be sufficiently indented and end with a ]",
  ],
  ["a list as document", "- a", "c.yaml:1:1 must be a mapping, not a list"],
  ["text as document", "hello", 'c.yaml:1:1 must be a mapping, not "hello"'],
  [
    "a typo inside a merged anchor, at the line it stands on",
    "vllm_endpoints:\n  - &a { name: a, address: h, port: 1, weigth: 2 }\n  - { <<: *a, name: b }",
    'c.yaml:2:40 vllm_endpoints[0].weigth: unknown key; did you mean "weight"?',
    'c.yaml:2:40 vllm_endpoints[1].weigth: unknown key; did you mean "weight"?',
  ],
];

for (const [name, text, ...want] of cases) test(name, () => assert.deepEqual(problemsOf(text), want));

test("everything is reported at once, in the order of the file", () => {
  const text = `server: { listen: x }\nlogin: {}\ntools: {}\nsecurity: { block_status: 1 }\ndefault_model: \${NOPE}`;
  assert.deepEqual(
    problemsOf(text, { SR_LOG_LEVEL: "loud" }).map((line) => line.split(" ").slice(0, 2).join(" ")),
    [
      "SR_LOG_LEVEL: must",
      "c.yaml:1:19 server.listen:",
      "c.yaml:2:1 login:",
      "c.yaml:4:27 security.block_status:",
      "c.yaml:5:16 default_model:",
    ],
  );
});

test("aliases that explode are refused", () => {
  const wide = (name: string) => `[${Array(12).fill(`*${name}`).join(", ")}]`;
  const text = `a: &a [1, 2, 3]\nb: &b ${wide("a")}\nc: &c ${wide("b")}\nd: ${wide("c")}`;
  assert.match(problemsOf(text)[0] ?? "", /^c\.yaml:1:1 YAML: Excessive alias count/);
});
