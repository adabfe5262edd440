"""Writes the heads as one ONNX file: int8 tables, Gather, sums, heads. `models/README.md` names inputs and outputs."""

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

from features import BUCKETS
from similarity import NUMBER_SHARE, ROWS


def quantise(table):
    """(int8 table, float32 scale per column). The largest 0.001 % of a column are clipped."""
    top = np.maximum(np.quantile(np.abs(table), 0.99999, axis=0), 1e-9)
    scale = (top / 127).astype(np.float32)
    return np.clip(np.round(table / scale), -127, 127).astype(np.int8), scale


def padded(table):
    """One more row of zeros: bucket BUCKETS fills a batch up and counts for nothing."""
    return np.concatenate([table, np.zeros((1, *table.shape[1:]), table.dtype)])


class Graph:
    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, name, value):
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def op(self, kind, inputs, output=None, **attributes):
        output = output or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def floats(self, table, ids):
        return self.op("Cast", [self.op("Gather", [table, ids])], to=TensorProto.FLOAT)

    def total(self, x, axis, keep=0):
        return self.op("ReduceSum", [x, self.constant(f"axis_{len(self.nodes)}", np.array([axis], np.int64))], keepdims=keep)

    def length(self, x, axis, keep=0):
        squares = self.op("Mul", [x, x])
        return self.op("Max", [self.op("Sqrt", [self.total(squares, axis, keep)]), "tiny"])


def build(category, jailbreak, weights, table, tokens, idf):
    """category: (weights, bias, temperature); jailbreak: (weights, bias, scale, shift); tokens: (weights, bias)."""
    g = Graph()
    g.constant("tiny", np.float32(1e-6))
    step = float(idf.max()) / 255
    g.constant("idf", padded(np.round(idf / step).astype(np.uint8)))

    w, b, divisor = category
    q, scale = quantise(w * idf[:, None])
    g.constant("category_table", padded(q))
    size = g.length(g.floats("idf", "text_ids"), 0)
    total = g.op("Mul", [g.total(g.floats("category_table", "text_ids"), 0), g.constant("category_scale", scale / step / divisor)])
    logits = g.op("Add", [g.op("Div", [total, size]), g.constant("category_bias", b / np.float32(divisor))])
    g.op("Softmax", [logits], "category", axis=-1)

    w, b, slope, shift = jailbreak
    q, scale = quantise((w * idf)[:, None])
    g.constant("guard_table", padded(q[:, 0]))
    size = g.length(g.floats("idf", "guard_ids"), 1)
    total = g.op("Mul", [g.total(g.floats("guard_table", "guard_ids"), 1), g.constant("guard_scale", scale / step * np.float32(slope))])
    logit = g.op("Add", [g.op("Div", [total, size]), g.constant("guard_bias", np.array([b * slope + shift], np.float32))])
    g.op("Sigmoid", [logit], "jailbreak")

    g.constant("word_weights", padded(weights.astype(np.float16)))
    g.constant("projection", table)
    row = g.op("Mod", ["embed_ids", g.constant("rows", np.array(ROWS, np.int32))])
    factors = g.op("Unsqueeze", [g.floats("word_weights", "embed_ids"), g.constant("first", np.array([0], np.int64))])
    vector = g.total(g.op("MatMul", [factors, g.floats("projection", row)]), 0)
    vector = g.op("Div", [vector, g.length(vector, 0, 1)])
    row = g.floats("projection", g.op("Mod", ["number_id", "rows"]))
    share = g.op("Where", [g.op("Less", ["number_id", g.constant("none", np.array(BUCKETS, np.int32))]), g.constant("share", np.float32(NUMBER_SHARE)), g.constant("nothing", np.float32(0))])
    numbers = g.total(g.op("Mul", [g.op("Div", [row, g.length(row, 1, 1)]), g.op("Unsqueeze", [share, "first"])]), 0)
    vector = g.op("Add", [vector, numbers])
    g.op("Div", [vector, g.length(vector, 0, 1)], "embedding")

    w, b = tokens
    q, scale = quantise(w)
    g.constant("token_table", q)
    total = g.op("Mul", [g.total(g.floats("token_table", "token_ids"), 1), g.constant("token_scale", scale)])
    g.op("Softmax", [g.op("Add", [total, g.constant("token_bias", b)])], "entities", axis=-1)

    def value(name, dtype, shape):
        return helper.make_tensor_value_info(name, dtype, shape)

    inputs = [value("text_ids", TensorProto.INT32, ["n"]), value("guard_ids", TensorProto.INT32, ["windows", "m"])]
    inputs += [value("embed_ids", TensorProto.INT32, ["e"]), value("number_id", TensorProto.INT32, [1])]
    inputs += [ value("token_ids", TensorProto.INT32, ["tokens", "features"])]
    outputs = [value("category", TensorProto.FLOAT, [category[0].shape[1]]), value("jailbreak", TensorProto.FLOAT, ["windows"])]
    outputs += [value("embedding", TensorProto.FLOAT, [table.shape[1]])]
    outputs += [value("entities", TensorProto.FLOAT, ["tokens", tokens[0].shape[1]])]
    model = helper.make_model(
        helper.make_graph(g.nodes, "encoder", inputs, outputs, g.constants),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
        producer_name="training/train.py",
    )
    checker.check_model(model)
    assert len(category[0]) == BUCKETS
    return model


def write(model, path):
    save(model, str(path))
