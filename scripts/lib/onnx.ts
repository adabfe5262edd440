import { Writer } from "../../src/protobuf/wire.ts";

// Writes ONNX files: just enough of onnx.proto for graphs that are put together by hand. Numbers of fields and types
// are those of the format (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).

const elementTypes = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10 } as const;

export type ElementType = keyof typeof elementTypes;

/** A name stands for a length that is only known when the graph runs. */
export type Dims = readonly (number | string)[];

/** Little-endian, row by row; or where these bytes lie in another file, its path relative to the model's. */
export type Bytes =
  | Float32Array
  | Int32Array
  | BigInt64Array
  | Int8Array
  | Uint8Array
  | Uint16Array
  | { readonly file: string; readonly offset: number; readonly length: number };

export interface OnnxTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly data: Bytes;
}

export interface OnnxValue {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: Dims;
}

/** Whole numbers and fractions look alike in JavaScript and not in ONNX, so each attribute says what it is. */
export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly text: string }
  | { readonly ints: readonly number[] }
  | { readonly floats: readonly number[] }
  | { readonly tensor: OnnxTensor };

export type Attributes = Readonly<Record<string, Attribute>>;

export interface OnnxNode {
  readonly op: string;
  /** Tensors by name; an empty one is an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Attributes;
  /** The operator set; default: ONNX's own. */
  readonly domain?: string;
}

export interface OnnxGraph {
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly weights: readonly OnnxTensor[];
  /** In an order in which each comes after those it reads from. */
  readonly nodes: readonly OnnxNode[];
}

/** Puts a graph together node by node; every method that makes a tensor returns its name. */
export class GraphBuilder implements OnnxGraph {
  readonly inputs: OnnxValue[] = [];
  readonly outputs: OnnxValue[] = [];
  readonly weights: OnnxTensor[] = [];
  readonly nodes: OnnxNode[] = [];

  input(name: string, type: ElementType, dims: Dims): string {
    this.inputs.push({ name, type, dims });
    return name;
  }

  weight(type: ElementType, dims: readonly number[], data: Bytes, name = `w${this.weights.length}`): string {
    this.weights.push({ name, type, dims, data });
    return name;
  }

  /** A node with one output. */
  node(op: string, inputs: readonly string[], attributes: Attributes = {}, domain = ""): string {
    return this.nodeOf(1, op, inputs, attributes, domain)[0]!;
  }

  /** A node with `count` outputs. */
  nodeOf(
    count: number,
    op: string,
    inputs: readonly string[],
    attributes: Attributes = {},
    domain = "",
  ): string[] {
    const outputs = Array.from({ length: count }, (_, i) => `n${this.nodes.length}_${i}`);
    this.nodes.push({ op, inputs, outputs, attributes, domain });
    return outputs;
  }

  /** Gives the tensor `from` this name and makes it one of the graph's outputs. */
  output(name: string, type: ElementType, dims: Dims, from: string): void {
    this.nodes.push({ op: "Identity", inputs: [from], outputs: [name] });
    this.outputs.push({ name, type, dims });
  }
}

/**
 * The bytes of a `.onnx` file. `opsets`: version by domain, "" being ONNX's own (default 17).
 * Weights of more than some hundred megabytes belong into a file of their own: see `Bytes`.
 */
export function encodeOnnx(graph: OnnxGraph, opsets: Readonly<Record<string, number>> = { "": 17 }): Buffer {
  const writer = new Writer();
  writer.begin();
  // The writer works from the end to the beginning, so everything here is said backwards.
  for (const [domain, version] of Object.entries(opsets).reverse()) {
    message(writer, 8, () => {
      writer.number(2, version);
      writer.field(1, domain);
    });
  }
  message(writer, 7, () => {
    for (const value of graph.outputs.toReversed()) writeValue(writer, 12, value);
    for (const value of graph.inputs.toReversed()) writeValue(writer, 11, value);
    for (const tensor of graph.weights.toReversed()) writeTensor(writer, 5, tensor);
    writer.field(2, "graph");
    for (const node of graph.nodes.toReversed()) writeNode(writer, node);
  });
  writer.number(1, 8);
  return writer.finish();
}

function message(writer: Writer, field: number, content: () => void): void {
  const mark = writer.mark;
  content();
  writer.wrap(field, mark);
}

function writeValue(writer: Writer, field: number, { name, type, dims }: OnnxValue): void {
  message(writer, field, () => {
    message(writer, 2, () =>
      message(writer, 1, () => {
        message(writer, 2, () => {
          for (const dim of dims.toReversed())
            message(writer, 1, () =>
              typeof dim === "number" ? writer.number(1, dim) : writer.field(2, dim),
            );
        });
        writer.number(1, elementTypes[type]);
      }),
    );
    writer.field(1, name);
  });
}

function writeTensor(writer: Writer, field: number, { name, type, dims, data }: OnnxTensor): void {
  message(writer, field, () => {
    if ("file" in data) {
      writer.number(14, 1);
      const entries = { location: data.file, offset: String(data.offset), length: String(data.length) };
      for (const [key, value] of Object.entries(entries).reverse())
        message(writer, 13, () => {
          writer.field(2, value);
          writer.field(1, key);
        });
    } else {
      writer.field(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
    writer.field(8, name);
    writer.number(2, elementTypes[type]);
    for (const dim of dims.toReversed()) writer.number(1, dim);
  });
}

function writeNode(writer: Writer, { op, inputs, outputs, attributes = {}, domain = "" }: OnnxNode): void {
  message(writer, 1, () => {
    if (domain) writer.field(7, domain);
    for (const [name, attribute] of Object.entries(attributes).reverse())
      writeAttribute(writer, name, attribute);
    writer.field(4, op);
    for (const name of outputs.toReversed()) writer.field(2, name);
    for (const name of inputs.toReversed()) writer.field(1, name);
  });
}

function writeAttribute(writer: Writer, name: string, attribute: Attribute): void {
  message(writer, 5, () => {
    if ("float" in attribute) {
      writer.number(20, 1);
      writer.fixed32(2, floatBits(attribute.float));
    } else if ("int" in attribute) {
      writer.number(20, 2);
      writer.integer(3, attribute.int);
    } else if ("text" in attribute) {
      writer.number(20, 3);
      writer.field(4, attribute.text);
    } else if ("tensor" in attribute) {
      writer.number(20, 4);
      writeTensor(writer, 5, attribute.tensor);
    } else if ("floats" in attribute) {
      writer.number(20, 6);
      for (const value of attribute.floats.toReversed()) writer.fixed32(7, floatBits(value));
    } else {
      writer.number(20, 7);
      for (const value of attribute.ints.toReversed()) writer.integer(8, value);
    }
    writer.field(1, name);
  });
}

const floatBits = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0]!;
