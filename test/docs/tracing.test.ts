import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { parse } from "yaml";
import { parseConfig } from "../../src/config/load.ts";
import { otlpEndpoint } from "../../src/config/otlp-endpoint.ts";
import { backoffMs } from "../../src/telemetry/otlp/backoff.ts";
import { GUIDE, searchesOf } from "../neighbours/guide.ts";
import { filesUnder, relativeLinks, repoRoot, textOf } from "../support/repo.ts";
import { readSearch } from "../support/trace-search.ts";
import { resolve } from "../telemetry/resolve.ts";
import { blocksOf, codeIn, proseOf, rowsOf, section } from "./markdown.ts";

const CHINESE = "docs/tracing.zh-CN.md";
const examples = ["jaeger", "tempo", "otel-collector"] as const;

describe("the tracing guide's samples", () => {
  const samples = blocksOf(GUIDE, "yaml");
  const ours = samples.filter(({ text }) => /^observability:/m.test(text));
  for (const [i, { text }] of ours.entries()) {
    test(`configuration ${i + 1} loads without a warning, and its exporter is as written`, () => {
      const { config, warnings } = parseConfig(text, { env: { OTLP_TOKEN: "secret" } });
      assert.deepEqual(warnings, []);
      assert.ok(config.observability.tracing.enabled);
      const { endpoint } = config.observability.tracing.exporter;
      assert.ok(text.includes(endpoint));
    });
  }
  test("the variable of the hosted backend is wanted", () => {
    const [hosted] = ours.filter(({ text }) => text.includes("OTLP_TOKEN"));
    assert.throws(() => parseConfig(hosted!.text), /OTLP_TOKEN is not set/);
  });

  const parts = samples.filter(({ text }) => text.startsWith("# part of examples/"));
  for (const { text } of parts) {
    const [, path] = /^# part of (\S+)/.exec(text)!;
    test(`what is shown of ${path} stands there`, () => {
      assert.ok(contains(parse(textOf(path!)), parse(text)));
      assert.ok(!contains(parse(textOf(path!)), { processors: { tail_sampling: { policies: [] } } }));
    });
  }
  test("each sample is one of the two kinds", () => assert.equal(ours.length + parts.length, samples.length));

  test("inline settings load", () => {
    const inline = codeIn(proseOf(GUIDE)).filter((code) => /^(sampling|exporter): \{/.test(code));
    assert.equal(inline.length, 2);
    for (const code of inline)
      assert.deepEqual(parseConfig(`observability: { tracing: { ${code} } }`).warnings, [], code);
  });

  test("the table of endpoints says what becomes of each", () => {
    const rows = rowsOf(section(GUIDE, "### Endpoint, protocol and TLS"));
    assert.ok(rows.length >= 6);
    for (const [forms, protocol, tls] of rows) {
      for (const text of codeIn(forms!)) {
        const found = otlpEndpoint(text, { protocol: undefined, insecure: false, tracesPath: "default" });
        assert.ok(!("fault" in found), text);
        assert.deepEqual(found.warnings, [], text);
        assert.equal(protocol!.startsWith("gRPC") ? "grpc" : "http/protobuf", found.protocol, text);
        assert.equal(tls!.startsWith("yes"), found.url.startsWith("https:"), text);
        const { pathname } = new URL(found.url);
        const shown = codeIn(protocol!)[0] ?? (text.endsWith(pathname) ? pathname : "/");
        assert.equal(shown, pathname, text);
      }
    }
  });

  test("the table of limits has the defaults", () => {
    const { exporter } = parseConfig("").config.observability.tracing;
    const rows = rowsOf(section(GUIDE, "### Memory and load"));
    assert.ok(rows.length >= 5);
    for (const [key, value] of rows) {
      const path = codeIn(key!)[0]!.split(".");
      const found = path.reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], exporter);
      assert.equal(codeIn(value!)[0] ?? value, String(found), key);
    }
  });
});

describe("the guide's searches", () => {
  for (const { task, fields, api, traceQl } of searchesOf()) {
    test(`${task}: the fields, the API and TraceQL ask for the same`, () => {
      const { service, operation, tags, minDurationNs } = readSearch(api);
      assert.deepEqual(fields, {
        Service: service,
        ...(operation && { Operation: operation }),
        ...(Object.keys(tags).length > 0 && {
          Tags: Object.entries(tags)
            .map((pair) => pair.join("="))
            .join(" "),
        }),
        ...(minDurationNs && { "Min Duration": /minDuration=(\w+)/.exec(api)?.[1] }),
      });
      const expected = [
        `resource.service.name = "${service}"`,
        ...(operation ? [`name = "${operation}"`] : []),
        ...Object.entries(tags).map(([key, value]) =>
          key === "error"
            ? "status = error"
            : `span.${key} = ${/^(true|false)$/.test(value) ? value : JSON.stringify(value)}`,
        ),
        ...(minDurationNs ? [`duration >= ${fields["Min Duration"]}`] : []),
      ];
      assert.equal(traceQl, `{ ${expected.join(" && ")} }`);
      // Cassandra refuses the two together, and Badger would let different spans satisfy them.
      assert.ok(minDurationNs === undefined || Object.keys(tags).length === 0);
    });
  }

  test("the names that the guide uses are those of trace.md, of vLLM, or keys", () => {
    const known = textOf("docs/trace.md");
    const dotted = codeIn(section(GUIDE, "## Find")).filter((code) => /^[a-z_]+(\.[a-z_]+)+$/.test(code));
    assert.ok(dotted.length > 20);
    const other = dotted.filter((name) => !known.includes(`\`${name}\``));
    for (const name of other) {
      const section = name.split(".")[0]!;
      assert.ok(name.startsWith("gen_ai.latency.") || ["inference", "resource"].includes(section), name);
    }
  });
});

describe("the guide's troubleshooting", () => {
  test("the log lines it names are those of the program", () => {
    const sources = filesUnder("src", /\.ts$/).map(textOf).join("\n");
    for (const line of [
      "Failed to export spans: ",
      "Exporting spans again",
      "the queue is full",
      '"stopped"',
    ]) {
      assert.ok(textOf(GUIDE).includes(line.trim()), line);
      assert.ok(sources.includes(line), line);
    }
    assert.match(textOf("scripts/lib/service.ts"), /"logs"/);
  });

  test("the causes it explains are in the program's words", () => {
    const sources = filesUnder("src/telemetry", /\.ts$/).map(textOf).join("\n");
    const causes = rowsOf(section(GUIDE, "### There are no traces")).flatMap(([cause]) => codeIn(cause!));
    const ours = causes.filter((cause) => cause.includes(" ") && !cause.startsWith("HTTP "));
    // Node's own, and one of which only the beginning is ours.
    const others = ["socket hang up", "standard output: write EPIPE"];
    assert.equal(ours.length, 16);
    for (const words of ours.filter((cause) => !others.includes(cause)))
      assert.ok(sources.includes(words), words);
    assert.ok(sources.includes("standard output: "));
  });

  test("the fields it names are those of the line `tracing`", () => {
    const lines = section(GUIDE, "### There are no traces");
    const { told } = resolve("sampling: { type: probabilistic, rate: 0 }");
    for (const field of ["enabled", "endpoint", "sampler", "sampler.rate"]) {
      assert.ok(codeIn(lines).includes(field), field);
      assert.ok(field in told, field);
    }
    assert.equal(
      resolve("sampling: { type: always_off, parent_based: false }").told.sampler,
      "always_off (file)",
    );
  });

  test("how long the first failure takes: the attempts and the waits between them", () => {
    const { retry, batch } = parseConfig("").config.observability.tracing.exporter;
    const attempts = Array.from({ length: retry.max_attempts - 1 }, (_, i) =>
      backoffMs(
        i + 1,
        { maxAttempts: 5, initialBackoffMs: retry.initial_backoff_ms, maxBackoffMs: retry.max_backoff_ms },
        undefined,
        () => 0.5,
      ),
    );
    const seconds = attempts.reduce((sum, ms) => sum + ms, 0) / 1000;
    assert.ok(seconds > 8 && seconds < 10);
    const told = section(GUIDE, "### There are no traces");
    assert.match(told, /after five attempts, some eight to ten seconds, or after up to 30 /);
    assert.deepEqual([retry.max_attempts, batch.timeout_ms], [5, 30_000]);
  });

  test("what is to outlast a minute has the time and the room for it", () => {
    const sample = blocksOf(GUIDE, "yaml").find(({ text }) => text.includes("max_attempts"))!;
    const { retry, batch, queue } = parseConfig(sample.text).config.observability.tracing.exporter;
    const waits = Array.from({ length: retry.max_attempts - 1 }, (_, i) =>
      Math.min(retry.initial_backoff_ms * 1.5 ** i, retry.max_backoff_ms),
    );
    // The shortest that jitter makes of them.
    assert.ok(0.8 * waits.reduce((sum, ms) => sum + ms, 0) > 60_000);
    assert.ok(batch.timeout_ms > 60_000 * 1.2);
    const spans = 60 * 100 * 9;
    assert.ok(queue.max_spans > spans && queue.max_bytes > spans * 470);
  });
});

describe("the guide in Chinese", () => {
  const shape = (page: string) => ({
    blocks: blocksOf(page).map(({ language, text }) => ({ language, text })),
    headings: [...proseOf(page).matchAll(/^(#+) /gm)].map(([, level]) => level),
    steps: proseOf(page).match(/^\d+\. /gm)?.length,
    points: proseOf(page).match(/^- /gm)?.length,
    tables: rowsOf(proseOf(page)).map((row) => row.length),
    names: codeIn(proseOf(page)).sort(),
    links: relativeLinks(page, textOf(page))
      .filter((link) => link !== GUIDE && link !== CHINESE)
      .sort(),
  });
  test("it has the same headings, tables, code, names and links", () => {
    assert.deepEqual(shape(CHINESE), shape(GUIDE));
  });
  test("each leads to the other", () => {
    assert.match(textOf(GUIDE).split("\n\n")[1]!, /\(tracing\.zh-CN\.md\)/);
    assert.match(textOf(CHINESE).split("\n\n")[1]!, /\(tracing\.md\)/);
  });
});

interface Compose {
  readonly services: Record<string, { image?: string; ports?: string[]; volumes?: string[] }>;
  readonly volumes?: Record<string, unknown>;
}

describe("examples of neighbours", () => {
  for (const name of examples) {
    const folder = `examples/${name}`;
    const readme = textOf(`${folder}/README.md`);
    const composes = filesUnder(folder, /^compose.*\.yaml$/);
    const services = composes.flatMap((path) => Object.values((parse(textOf(path)) as Compose).services));
    const ports = services.flatMap(({ ports = [] }) => ports);

    test(`${folder}: the ports are for this machine only, and those that its README says`, () => {
      for (const port of ports) assert.match(port, /^127\.0\.0\.1:(\d+):\1$/);
      const said = /its ports are|their ports are/.exec(readme);
      assert.ok(said);
      const listed = readme.slice(said.index, readme.indexOf(")", said.index)).match(/\d{4,5}/g);
      assert.deepEqual(listed?.sort(), ports.map((port) => port.split(":").at(-1)!).sort());
    });

    test(`${folder}: every image has a version, every file and volume is there`, () => {
      const volumes = composes.flatMap((path) => Object.keys((parse(textOf(path)) as Compose).volumes ?? {}));
      for (const { image, volumes: mounts = [] } of services) {
        if (image) assert.match(image, /:\d+\.\d+\.\d+$/);
        for (const source of mounts.map((mount) => mount.split(":")[0]!))
          assert.ok(
            source.startsWith("./") ? existsSync(join(repoRoot, folder, source)) : volumes.includes(source),
            source,
          );
      }
      for (const path of filesUnder(folder, /\.yaml$/)) {
        assert.ok(parse(textOf(path)), path);
        const told = `${readme}${composes.map(textOf).join("")}`;
        assert.ok(told.includes(basename(path)), `nothing leads to ${path}`);
      }
    });

    test(`${folder}: the README's links and commands lead somewhere`, () => {
      for (const link of relativeLinks(`${folder}/README.md`, readme))
        assert.ok(existsSync(join(repoRoot, link)), link);
      for (const [, file] of readme.matchAll(/-f (\S+)/g)) assert.ok(composes.includes(file!), file);
      const headings = (textOf(GUIDE).match(/^#+ .*$/gm) ?? []).map((heading) =>
        heading.replace(/^#+ /, "").toLowerCase().replaceAll(" ", "-"),
      );
      for (const [, anchor] of readme.matchAll(/tracing\.md#([\w-]+)/g))
        assert.ok(headings.includes(anchor!));
      assert.ok(readme.includes("OTLP_ENDPOINT=localhost:4317 npm start"));
      assert.match(textOf("scripts/lib/settings.ts"), /env\.OTLP_ENDPOINT/);
      assert.ok(textOf(GUIDE).includes(`(../${folder}/README.md)`));
    });
  }

  test("Jaeger is one that finds error=true", () => {
    for (const path of ["examples/jaeger/compose.yaml", "examples/otel-collector/compose.yaml"]) {
      const { image } = (parse(textOf(path)) as Compose).services.jaeger!;
      const [major, minor] = image!.split(":").at(-1)!.split(".").map(Number);
      assert.ok(major! > 2 || (major === 2 && minor! >= 17), `${dirname(path)}: ${image}`);
    }
  });
});

/** Whether everything in `part` is in `whole` as well, lists as they are. */
function contains(whole: unknown, part: unknown): boolean {
  if (typeof part !== "object" || part === null || Array.isArray(part)) return isDeepStrictEqual(whole, part);
  if (typeof whole !== "object" || whole === null) return false;
  return Object.entries(part).every(([key, value]) =>
    contains((whole as Record<string, unknown>)[key], value),
  );
}
