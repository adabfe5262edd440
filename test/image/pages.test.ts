import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { readDockerfile } from "../../scripts/image/dockerfile.ts";
import { blocksOf, codeIn, rowsOf, section } from "../docs/markdown.ts";
import { repoRoot, textOf } from "../support/repo.ts";
import { containerMissing, runInContainer, theImage } from "./container.ts";

// Commands of docs/docker.md, compose.md and systemd.md. Those for an engine or a running systemd are held to what is
// there; what the router is told in them is run in the image's files.

const pages = ["docs/docker.md", "docs/compose.md", "docs/systemd.md"];
const lines = pages.flatMap((page) =>
  blocksOf(page, "console").flatMap(({ text }) =>
    text.split("\n").map((line) => ({ page, line: line.replace(/^[$#] /, "") })),
  ),
);
const { version, scripts } = JSON.parse(textOf("package.json")) as {
  version: string;
  scripts: Record<string, string>;
};
const compose = parse(textOf("compose.yaml"), { merge: true }) as {
  services: Record<string, { profiles?: string[] }>;
};

/** What the router is told in a line, if it is: the words behind the image, the service or the program. */
function routerWords(line: string): readonly string[] | undefined {
  const [, tail] =
    /(?:docker run .*semantic-router:\S+|docker exec router node dist\/main\.js|-T router|node \/opt\/semantic-router\/dist\/main\.js) ?(.*)$/.exec(
      line,
    ) ?? [];
  return tail
    ?.replace(/ > (\S+)(?: && mv \1 \S+)?$/, "")
    .match(/"[^"]*"|\S+/g)
    ?.map((word) => word.replaceAll('"', ""));
}

describe("pages about images and services", () => {
  test("docker build and docker run name this version, and flags that there are", () => {
    const docker = lines.filter(({ line }) => /^docker (?:build|buildx|run|exec|logs)/.test(line));
    assert.ok(docker.length >= 9);
    for (const { line } of docker) {
      const [, tag] = /semantic-router:(\S+)/.exec(line) ?? [];
      if (tag !== undefined) assert.equal(tag, version, line);
      for (const [, name] of line.matchAll(/--build-arg (\w+)=/g))
        assert.match(textOf("Dockerfile"), new RegExp(`^ARG ${name}\\b`, "m"));
    }
  });

  test("docker compose names services, a profile and variables that there are", () => {
    const said = lines.filter(({ line }) => line.startsWith("docker compose"));
    for (const { line } of said) {
      for (const [, name] of line.matchAll(/--profile (\w+)/g))
        assert.ok(
          Object.values(compose.services).some(({ profiles }) => profiles?.includes(name!)),
          line,
        );
      for (const [, name] of line.matchAll(/(?:build|-T|logs) (\w+)/g))
        assert.ok(compose.services[name!], line);
    }
    const listed = rowsOf(section("docs/compose.md", "## Your own models")).map(([name, value]) => [
      codeIn(name!)[0],
      codeIn(value!)[0] ?? "",
    ]);
    const used = [...textOf("compose.yaml").matchAll(/\$\{(\w+):-([^}]*)\}/g)].map(([, name, value]) => [
      name,
      value,
    ]);
    assert.deepEqual(Object.fromEntries(listed), Object.fromEntries(used));
  });

  test("systemd: what is copied is there, and goes where the units look for it", () => {
    const said = lines.filter(({ page }) => page === "docs/systemd.md").map(({ line }) => line);
    for (const line of said.filter((line) => line.startsWith("npm run ")))
      assert.ok(scripts[line.split(" ")[2]!], line);
    const built = ["dist", "node_modules", "my.yaml"];
    for (const line of said.filter((line) => line.startsWith("cp "))) {
      const [to = "", ...from] = line
        .split(" ")
        .slice(1)
        .filter((word) => !word.startsWith("-"))
        .reverse();
      assert.match(to, /^\/(?:opt|etc)\//);
      for (const path of from) assert.ok(built.includes(path) || existsSync(join(repoRoot, path)), path);
    }
    const [copied = ""] = said.filter((line) => line.startsWith("cp -r "));
    const program = readDockerfile(textOf("Dockerfile")).stages.find(({ name }) => name === "program")!;
    const image = program.steps.flatMap((step) =>
      step.kind === "copy" && !step.to.startsWith("/")
        ? [step.to === "./" ? "package.json" : step.to.split("/")[0]!]
        : [],
    );
    assert.ok(image.length >= 5);
    for (const path of image)
      assert.ok(copied.split(" ").includes(path), `${path} is in the image and not copied`);
    const units = ["semantic-router", "envoy"]
      .map((name) => textOf(`examples/systemd/${name}.service`))
      .join("");
    for (const path of [
      "/opt/semantic-router/dist/main.js",
      "/etc/semantic-router/config.yaml",
      "/etc/semantic-router/envoy.yaml",
      "unix:/run/semantic-router/router.sock",
    ]) {
      assert.ok(units.includes(path) || path.endsWith(".sock"), path);
      assert.ok(
        said.some((line) => line.includes(path)),
        path,
      );
    }
    const rated = spawnSync(
      "systemd-analyze",
      ["security", "--offline=yes", "--no-pager", "examples/systemd/semantic-router.service"],
      {
        cwd: repoRoot,
        encoding: "utf8",
      },
    );
    const [, exposure] = /exposure level for \S+ ([\d.]+)/.exec(rated.stdout ?? "") ?? [];
    if (exposure !== undefined)
      assert.ok(textOf("docs/systemd.md").includes(`rates it ${exposure}`), exposure);
  });

  test("Envoy's configuration is put in place when it is whole, and what it needs is read before", () => {
    const renders = lines.flatMap(({ page, line }) =>
      line.includes("envoy render") ? [{ page, line }] : [],
    );
    assert.equal(renders.length, 2);
    for (const { line } of renders) assert.match(line, / > (\S+)\.new && mv \1\.new \1\.yaml$/);
    const environment = "set -a; . /etc/semantic-router/environment; set +a";
    const onHost = lines.filter(({ page }) => page === "docs/systemd.md").map(({ line }) => line);
    for (const [i, line] of onHost.entries())
      if (line.includes("dist/main.js")) assert.equal(onHost[i - 1], environment, line);
    const unit = textOf("examples/systemd/semantic-router.service");
    assert.match(unit, /^EnvironmentFile=-\/etc\/semantic-router\/environment$/m);
  });

  const told = lines.flatMap(({ line }) => {
    const words = routerWords(line);
    return words && !words.includes("bash") ? [{ line, words }] : [];
  });
  test("every line that tells the router something is run", () => assert.equal(told.length, 8));
  for (const { line, words } of told) {
    // A server does not end; runs.test.ts starts it.
    if (words[0]!.startsWith("--")) continue;
    test(line, { skip: containerMissing }, () => {
      const folder = join(repoRoot, "examples/compose");
      const mounts = { "/config": folder, "/etc/semantic-router": folder };
      const { status, stdout, stderr } = runInContainer([...theImage().settings.entrypoint, ...words], {
        mounts,
      });
      // Nothing serves there that could be healthy.
      if (words[0] === "health") return assert.match(stderr, /semantic-router health: 0\.0\.0\.0:50051: /);
      assert.equal(status, 0, stderr);
      if (line.includes("--processor router:50051"))
        assert.equal(stdout, textOf("examples/compose/envoy.yaml"));
    });
  }
});
