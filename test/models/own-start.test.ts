import assert from "node:assert/strict";
import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { describe, test } from "node:test";
import { encodeOnnx, GraphBuilder } from "../../scripts/lib/onnx.ts";
import { unusable } from "../../src/models/own/disk.ts";
import { loadOwnModel, type OwnModelSpec, type OwnTask } from "../../src/models/own/own.ts";
import { readTokenizer } from "../../src/models/own/tokenizer/tokenizer.ts";
import { ModelDirectory, type TinyModel, tinyGraph, tinyModel } from "../support/onnx/tiny-models.ts";
import { fixtureOf } from "../support/onnx/tokenizers.ts";

// What would fail once texts come is refused at the start.

const bert = fixtureOf("bert").file;
const tokens = readTokenizer(bert).size;

/** Does `work` as somebody to whom the file `name` is shut. */
async function shut(dir: ModelDirectory, name: string, work: () => Promise<void>): Promise<void> {
  const { geteuid, seteuid } = process;
  const isRoot = geteuid?.() === 0;
  chmodSync(dir.path, 0o755);
  chmodSync(dir.at(name), 0);
  try {
    if (isRoot) seteuid?.(65_534);
    await work();
  } finally {
    if (isRoot) seteuid?.(0);
    chmodSync(dir.at(name), 0o755);
  }
}

interface Files {
  readonly config?: object;
  readonly graph?: Uint8Array | string;
  readonly files?: Readonly<Record<string, Uint8Array | object | string | undefined>>;
}

const directoryOf = ({ config = {}, graph = tinyGraph(tinyModel(), { kind: "text" }), files = {} }: Files) =>
  new ModelDirectory({
    "config.json": { model_type: "bert", id2label: { 0: "O", 1: "jailbreak", 2: "other" }, ...config },
    "tokenizer.json": bert,
    "model.onnx": graph,
    ...files,
  });

async function refusalOf(spec: OwnModelSpec): Promise<string> {
  const key = "some.key";
  try {
    await (await loadOwnModel({ ...spec, key })).close();
    return "loaded";
  } catch (error) {
    const { name, message } = error as Error;
    assert.equal(name, "Misfit", message);
    assert.ok(message.startsWith(`${key}: ${spec.dir}`), message);
    return message.slice(`${key}: `.length).replaceAll(spec.dir, "DIR");
  }
}

/** A graph that gives `width` numbers for each of `rows` tokens, or, without rows, for the text, whatever it is given. */
function constant(
  width: number,
  { rows, dims = ["one", "n"] }: { rows?: number; dims?: (number | string)[] },
) {
  const g = new GraphBuilder();
  const nothing = g.node("ReduceMean", [
    g.node("Mul", [
      g.node("Cast", [g.input("input_ids", "int64", dims)], { to: { int: 1 } }),
      g.weight("float32", [], Float32Array.of(0)),
    ]),
  ]);
  const shape = rows === undefined ? [1, width] : [1, rows, width];
  const zeros = g.weight("float32", shape, new Float32Array(width * (rows ?? 1)));
  const flat = g.node("Reshape", [nothing, g.weight("int64", [1], BigInt64Array.of(1n))]);
  g.output("logits", "float32", shape, g.node("Add", [zeros, flat]));
  return encodeOnnx(g);
}

describe("a graph is tried on a full window", () => {
  const shorter =
    /^DIR\/model\.onnx: a pass over (\d+) tokens failed; that is a full window: export it with variable lengths, from the model of DIR\/config\.json, or write as model_max_length in DIR\/tokenizer_config\.json how many it takes$/;
  const windows: readonly (readonly [places: number, Files, tokens: number])[] = [
    [511, {}, 512],
    [511, { config: { max_position_embeddings: 8192 } }, 512],
    [63, { config: { max_position_embeddings: 64 } }, 64],
    [29, { files: { "tokenizer_config.json": { model_max_length: 30 } } }, 30],
  ];
  for (const [places, files, tokens] of windows)
    test(`places for ${places} tokens, windows of ${tokens}`, async () => {
      const graph = (places: number) => tinyGraph(tinyModel({ places }), { kind: "text" });
      using dir = directoryOf({ ...files, graph: graph(places) });
      const refusal = await refusalOf({ task: "jailbreak", dir: dir.path });
      assert.equal(shorter.exec(refusal)?.[1], `${tokens}`, refusal);
      dir.write("model.onnx", graph(places + 1));
      assert.equal(await refusalOf({ task: "jailbreak", dir: dir.path }), "loaded");
    });

  test("and on the last token of its vocabulary", async () => {
    const graph = (vocabulary: number) => tinyGraph(tinyModel({ vocabulary }), { kind: "text" });
    using dir = directoryOf({ graph: graph(tokens - 1) });
    assert.equal(
      await refusalOf({ task: "jailbreak", dir: dir.path }),
      "DIR/model.onnx: a pass over 3 tokens failed; it does not know all tokens of DIR/tokenizer.json: take both from the same model",
    );
    dir.write("model.onnx", graph(tokens));
    assert.equal(await refusalOf({ task: "jailbreak", dir: dir.path }), "loaded");
  });

  test("not on the token that fills up, which has no place in some graphs", async () => {
    const model = tinyModel();
    const config = { pad_token_id: tokens - 5 };
    const spoilt = (id: number): TinyModel => ({
      ...model,
      embeddings: model.embeddings.map((value, i) => (Math.floor(i / model.dims) === id ? NaN : value)),
    });
    for (const [id, refused] of [
      [tokens - 5, false],
      [tokens - 6, true],
      [tokens - 2, true],
    ] as const) {
      using dir = directoryOf({ config, graph: tinyGraph(spoilt(id), { kind: "text" }) });
      assert.equal((await refusalOf({ task: "jailbreak", dir: dir.path })) !== "loaded", refused, `${id}`);
    }
  });
});

describe("what a graph gives", () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
    for (const task of ["category", "jailbreak", "pii", "embedding"] as const)
      test(`${value} is refused: ${task}`, async () => {
        const model = tinyModel();
        const kinds = { category: "text", jailbreak: "text", pii: "token", embedding: "sentence" } as const;
        const spoilt = { ...model, bias: model.bias.fill(value) };
        // A tanh lets no infinity through.
        const embeddings = model.embeddings.map(() => Number.NaN);
        const graph = tinyGraph(task === "embedding" ? { ...model, embeddings } : spoilt, {
          kind: kinds[task],
        });
        using dir = directoryOf({ graph });
        assert.match(
          await refusalOf({ task, dir: dir.path }),
          /^DIR\/model\.onnx: gives no finite numbers for \d+ tokens; export it anew, with weights of 32 bits/,
        );
      });

  test("NaN for tokens that only a full window has is refused", async () => {
    const model = tinyModel();
    const { tokenise, frame, size } = readTokenizer(bert);
    const sound = new Set([...frame.before, ...frame.after, ...tokenise("hello").ids, size - 1]);
    const embeddings = model.embeddings.map((value, i) =>
      sound.has(Math.floor(i / model.dims)) ? value : Number.NaN,
    );
    using dir = directoryOf({ graph: tinyGraph({ ...model, embeddings }, { kind: "text" }) });
    assert.match(await refusalOf({ task: "jailbreak", dir: dir.path }), /finite numbers for 512 tokens/);
  });

  const forms: readonly (readonly [OwnTask, Uint8Array, RegExp])[] = [
    [
      "pii",
      constant(3, { rows: 5 }),
      /: gives 5 by 3 numbers for 3 tokens; export it with variable lengths$/,
    ],
    ["pii", constant(3, { rows: 16 }), /: gives 16 by 3 numbers for \d+ tokens; export it with variable/],
    ["jailbreak", constant(3, {}), /^loaded$/],
    [
      "jailbreak",
      constant(3, { dims: [1, 16] }),
      /: its input input_ids is always 1 by 16 tokens; export it with variable lengths, as optimum-cli does$/,
    ],
    ["jailbreak", constant(3, { dims: [4, "n"] }), /: its input input_ids is always 4 by n tokens; export/],
    ["jailbreak", constant(3, { dims: [1, "n"] }), /^loaded$/],
    ["jailbreak", constant(3, { dims: ["", ""] }), /^loaded$/],
  ];
  for (const [i, [task, graph, says]] of forms.entries())
    test(`form ${i}: ${says.source}`, async () => {
      using dir = directoryOf({ graph });
      assert.match(await refusalOf({ task, dir: dir.path }), says);
    });
});

describe("files and directories", () => {
  test("files of JSON may begin with a byte order mark, and a directory may lie beside the graph", async () => {
    const config = `\ufeff${JSON.stringify({ model_type: "bert", id2label: { 0: "a", 1: "jailbreak", 2: "b" } })}`;
    const tokenizer = `\ufeff${JSON.stringify(bert)}`;
    using dir = directoryOf({ files: { "config.json": config, "tokenizer.json": tokenizer } });
    mkdirSync(dir.at("model.onnx.d"));
    assert.equal(await refusalOf({ task: "jailbreak", dir: dir.path }), "loaded");
  });

  const broken: readonly (readonly [
    name: string,
    Files,
    make: (dir: ModelDirectory) => void,
    says: string,
  ])[] = [
    [
      "an empty graph",
      { graph: "" },
      () => {},
      "DIR/model.onnx: is empty; copy the whole file that the export wrote",
    ],
    [
      "a graph that is a directory",
      { files: { "model.onnx": undefined } },
      (dir) => mkdirSync(dir.at("model.onnx")),
      "DIR/model.onnx: is no file; copy the whole file that the export wrote",
    ],
    [
      "a graph that leads to itself",
      { files: { "model.onnx": undefined } },
      (dir) => symlinkSync("model.onnx", dir.at("model.onnx")),
      "DIR/model.onnx: its symbolic links lead back to themselves (ELOOP); name the real path",
    ],
    [
      "a config.json that is a directory",
      { files: { "config.json": undefined } },
      (dir) => mkdirSync(dir.at("config.json")),
      "DIR/config.json: is a directory; copy it from the model it was exported from",
    ],
  ];
  for (const [name, files, make, says] of broken)
    test(name, async () => {
      using dir = directoryOf(files);
      make(dir);
      assert.equal(await refusalOf({ task: "jailbreak", dir: dir.path }), says);
    });

  test("in the place of the directory: a file, a file above it, a link to itself", async () => {
    using dir = directoryOf({});
    symlinkSync("loop", dir.at("loop"));
    const refusals = ["config.json", "config.json/x", "loop"].map((name) =>
      refusalOf({ task: "jailbreak", dir: dir.at(name) }),
    );
    assert.deepEqual(await Promise.all(refusals), [
      "DIR: is a file; name the directory that holds the model",
      "DIR: no such directory; name the directory that holds the model",
      "DIR: its symbolic links lead back to themselves (ELOOP); name the real path",
    ]);
  });

  test("what the user may not read is told as such", async () => {
    const remedy = "let the user that the router runs as read it";
    assert.equal(
      unusable({ code: "EPERM" }, "/x", "copy it").message,
      `/x: may not be read (EPERM); ${remedy}`,
    );
    assert.equal(unusable({ code: "EIO" }, "/x", "copy it").message, "/x: cannot be read (EIO); copy it");
    for (const name of ["model.onnx", "model.onnx_data", "config.json", "tokenizer_config.json", "."]) {
      using dir = directoryOf({ files: { "tokenizer_config.json": {}, "model.onnx_data": "x" } });
      const path = name === "." ? "DIR/config.json" : `DIR/${name}`;
      await shut(dir, name, async () =>
        assert.equal(
          await refusalOf({ task: "jailbreak", dir: dir.path }),
          `${path}: may not be read (EACCES); ${remedy}`,
        ),
      );
    }
  });

  test("a file of weights beside the graph is named: one that is not there, cut short, or shut", async () => {
    const model = tinyModel();
    const bytes = Buffer.from(model.embeddings.buffer);
    const embeddings = { file: "model.onnx_data", offset: 0, length: bytes.length };
    using dir = directoryOf({ graph: tinyGraph(model, { kind: "text", embeddings }) });
    const refusal = () => refusalOf({ task: "jailbreak", dir: dir.path });
    const lies = "DIR/model.onnx: its weights lie in DIR/model.onnx_data, which";
    assert.equal(await refusal(), `${lies} is not there; copy that file too`);
    dir.write("model.onnx_data", bytes.subarray(0, 1000));
    assert.equal(await refusal(), "DIR/model.onnx: the file with its weights is cut short; copy all of it");
    dir.write("model.onnx_data", bytes);
    assert.equal(await refusal(), "loaded");
    await shut(dir, "model.onnx_data", async () =>
      assert.equal(await refusal(), `${lies} cannot be read; let the user that the router runs as read it`),
    );
  });
});
