"""Runs the exported file in Python, the way `src/models/worker.ts` does."""

import numpy as np
import onnxruntime

from features import BUCKETS, features
from jailbreak import windows
from tokens import FEATURES, rows_of, tokenise

LIMIT = 8192  # features of one text that enter category and embedding


def capped(ids):
    """All ids, or of too many every k-th by number: chosen by value, so that like texts keep like features."""
    if len(ids) <= LIMIT:
        return ids
    step = -(-len(ids) // LIMIT)
    return [i for i in ids if i % step == 0] or ids[:LIMIT]


class Runtime:
    def __init__(self, path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def __call__(self, text):
        """{category, jailbreak, embedding, entities (tokens, labels), spans of the tokens in code points}"""
        embed, every, numbers = features(text)
        parts = [features(p)[1] or [BUCKETS] for p in windows(text)] or [[BUCKETS]]
        guard = np.full((len(parts), max(map(len, parts))), BUCKETS, np.int32)
        for i, ids in enumerate(parts):
            guard[i, : len(ids)] = ids
        spans = tokenise(text)
        tokens = rows_of([text[s:e] for s, e in spans]) if spans else np.zeros((1, FEATURES), np.int32)
        feeds = {
            "text_ids": np.array(capped(every) or [BUCKETS], np.int32),
            "embed_ids": np.array(capped(embed) or [BUCKETS], np.int32),
            "number_id": np.array([numbers], np.int32),
            "guard_ids": guard,
            "token_ids": tokens,
        }
        names = ["category", "jailbreak", "embedding", "entities"]
        out = dict(zip(names, self.session.run(names, feeds), strict=True))
        return {**out, "jailbreak": float(out["jailbreak"].max()), "spans": spans}
