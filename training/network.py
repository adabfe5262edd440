"""The encoder and its heads, and BERT-shaped teachers loaded from their files."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from common import CATEGORIES, DIMS, GUARD, HEADS, HIDDEN, INNER, TAGS


class Layer(nn.Module):
    def __init__(self, hidden, heads, inner):
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(hidden, 3 * hidden), nn.Linear(hidden, hidden)
        self.up, self.down = nn.Linear(hidden, inner), nn.Linear(inner, hidden)
        self.norm1, self.norm2 = nn.LayerNorm(hidden, eps=1e-12), nn.LayerNorm(hidden, eps=1e-12)

    def forward(self, x, mask, p):
        b, n, d = x.shape
        q, k, v = self.qkv(x).view(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        # Plain products: on a CPU the fused kernel's backward pass is several times slower at these lengths.
        scores = q @ k.transpose(-1, -2) / math.sqrt(d // self.heads) + mask
        attended = (F.softmax(scores, -1).to(v.dtype) @ v).transpose(1, 2).reshape(b, n, d)
        x = self.norm1(x + F.dropout(self.out(attended), p, self.training))
        return self.norm2(x + F.dropout(self.down(F.gelu(self.up(x))), p, self.training))


class Encoder(nn.Module):
    """ids (texts, tokens), cases (texts, tokens) 0..3, lengths -> last hidden states (texts, tokens, hidden)."""

    def __init__(self, words, layers, hidden=HIDDEN, heads=HEADS, inner=INNER, positions=512, cases=4):
        super().__init__()
        self.word, self.position = nn.Embedding(words, hidden), nn.Embedding(positions, hidden)
        self.case = nn.Embedding(cases, hidden)
        self.norm = nn.LayerNorm(hidden, eps=1e-12)
        self.layers = nn.ModuleList(Layer(hidden, heads, inner) for _ in range(layers))
        self.p = 0.1

    def forward(self, ids, cases, keep):
        n = ids.shape[1]
        x = self.word(ids) + self.position.weight[:n] + self.case(cases)
        x = F.dropout(self.norm(x), self.p, self.training)
        mask = torch.zeros(keep.shape, dtype=x.dtype, device=keep.device).masked_fill(~keep, -1e4)[:, None, None, :]
        for layer in self.layers:
            x = layer(x, mask, self.p)
        return x


def mean(hidden, keep):
    """Mean of the tokens that are there. (texts, hidden)"""
    weight = keep.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weight).sum(1) / weight.sum(1)


class Attend(nn.Module):
    """One learnt query: a weighted mean of the tokens."""

    def __init__(self, hidden=HIDDEN):
        super().__init__()
        self.query = nn.Linear(hidden, 1)

    def forward(self, hidden, keep):
        weight = F.softmax(self.query(hidden).squeeze(-1).float().masked_fill(~keep, -1e4), -1)
        return (hidden * weight.unsqueeze(-1).to(hidden.dtype)).sum(1)


class Router(nn.Module):
    """The encoder with its four heads."""

    def __init__(self, words, layers):
        super().__init__()
        self.encoder = Encoder(words, layers)
        self.attend_embed, self.embed = Attend(), nn.Linear(2 * HIDDEN, DIMS)
        self.attend_category, self.category = Attend(), nn.Linear(2 * HIDDEN, len(CATEGORIES))
        self.attend_guard, self.guard = Attend(), nn.Linear(2 * HIDDEN, len(GUARD))
        self.tags = nn.Linear(HIDDEN, len(TAGS))

    def heads(self, hidden, keep, which):
        if which == "tags":
            return self.tags(F.dropout(hidden, 0.1, self.training)).float()
        attended = getattr(self, f"attend_{which}")(hidden, keep)
        both = torch.cat([mean(hidden, keep), attended], -1)
        if which == "embed":
            return self.embed(both).float()
        return getattr(self, which)(F.dropout(both, 0.1, self.training)).float()

    def forward(self, batch, which):
        ids, cases, keep = batch
        return self.heads(self.encoder(ids, cases, keep), keep, which)


def bert_into(encoder, weights, layers):
    """Copies a BERT state dict (without prefix) into `encoder`; `layers` are the source's layers to take, in order."""
    encoder.word.weight.data[:] = weights["embeddings.word_embeddings.weight"]
    encoder.position.weight.data[:] = weights["embeddings.position_embeddings.weight"]
    encoder.case.weight.data[:] = weights["embeddings.token_type_embeddings.weight"][0]
    encoder.norm.weight.data[:] = weights["embeddings.LayerNorm.weight"]
    encoder.norm.bias.data[:] = weights["embeddings.LayerNorm.bias"]
    for layer, i in zip(encoder.layers, layers):
        get = lambda name: weights[f"encoder.layer.{i}.{name}"]  # noqa: B023
        for part in ("weight", "bias"):
            getattr(layer.qkv, part).data[:] = torch.cat([get(f"attention.self.{x}.{part}") for x in ("query", "key", "value")])
            for module, name in ((layer.out, "attention.output.dense"), (layer.norm1, "attention.output.LayerNorm"),
                                 (layer.up, "intermediate.dense"), (layer.down, "output.dense"),
                                 (layer.norm2, "output.LayerNorm")):
                getattr(module, part).data[:] = get(f"{name}.{part}")


SPREAD = {3: [0, 2, 5], 4: [0, 2, 4, 5], 5: [0, 1, 2, 4, 5], 6: list(range(6))}
"""Of six layers those that a flatter encoder begins with."""


def thinned(state, layers):
    """A router's state dict of six layers with `layers` of them; one that has as many stays as it is."""
    def place(key):
        parts = key.split(".")
        if parts[:2] != ["encoder", "layers"]:
            return key
        i = int(parts[2])
        return ".".join(["encoder", "layers", str(SPREAD[layers].index(i)), *parts[3:]]) if i in SPREAD[layers] else None
    deepest = max(int(k.split(".")[2]) for k in state if k.startswith("encoder.layers.")) + 1
    return state if deepest == layers else {place(k): v for k, v in state.items() if place(k)}


def start(path, layers):
    """A router from the prepared weights; of six layers `layers` are kept, spread over the depth."""
    saved = torch.load(path)
    weights = saved["weights"]
    router = Router(weights["embeddings.word_embeddings.weight"].shape[0], layers)
    bert_into(router.encoder, weights, SPREAD[layers])
    return router


def teacher(path):
    """bge-small-zh-v1.5 from its ONNX file: an Encoder whose first hidden state, made unit length, is the sentence vector."""
    import onnx
    from onnx import numpy_helper
    graph = onnx.load(str(path)).graph
    values = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in graph.initializer}
    weights, count = {}, 0
    for name, v in values.items():
        if "embeddings" in name or "encoder.layer" in name:
            weights[name.removeprefix("bert.")] = v
            if name.endswith("output.LayerNorm.bias"):
                count = max(count, int(name.split("layer.")[1].split(".")[0]) + 1)
    # The exporter names the matrices after their nodes, not their modules: the node that uses one tells where it belongs.
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in values and "/encoder/layer." in node.name:
            place = node.name.split("/encoder/")[1].rsplit("/", 1)[0].replace("/", ".")
            weights[f"encoder.{place}.weight"] = values[node.input[1]].T.contiguous()
    words, hidden = weights["embeddings.word_embeddings.weight"].shape
    encoder = Encoder(words, count, hidden, hidden // 64, weights["encoder.layer.0.intermediate.dense.bias"].shape[0])
    bert_into(encoder, weights, range(count))
    return encoder.eval()
