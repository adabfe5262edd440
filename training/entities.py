"""Trains and measures the token entity head."""

import numpy as np
from scipy.sparse import csr_matrix

import linear
from tokens import FEATURES, TOKEN_BUCKETS, rows_of, tokenise

TYPES = ["PERSON", "GPE", "ORGANIZATION", "STREET_ADDRESS", "DATE_TIME", "AGE", "NRP", "TITLE", "ZIP_CODE"]
LABELS = ["O", *(f"{p}-{t}" for t in TYPES for p in "BI")]
BEGIN = {t: 1 + 2 * i for i, t in enumerate(TYPES)}


def prepare(records):
    """(ids (tokens, FEATURES), allowed (tokens, labels), text lengths in tokens)"""
    ids, allowed, lengths = [], [], []
    for r in records:
        spans = tokenise(r["text"])
        if not spans:
            continue
        mine = np.zeros((len(spans), len(LABELS)), bool)
        mine[:, 0] = True
        known = r.get("annotated")
        for t in TYPES:
            if known is not None and t not in known:
                mine[:, BEGIN[t] : BEGIN[t] + 2] = True
        for span in r["spans"]:
            first = True
            for i, (s, e) in enumerate(spans):
                if e <= span["start"] or s >= span["end"]:
                    continue
                begin = BEGIN.get(span["label"])
                mine[i] = False
                mine[i, 0 if begin is None else begin + (not first)] = True
                first = False
        ids.append(rows_of([r["text"][s:e] for s, e in spans]))
        allowed.append(mine)
        lengths.append(len(spans))
    return np.concatenate(ids), np.concatenate(allowed), lengths


def matrix(ids):
    indptr = np.arange(0, ids.size + 1, FEATURES)
    return csr_matrix((np.ones(ids.size, np.float32), ids.ravel(), indptr), shape=(len(ids), TOKEN_BUCKETS))


def train(records, iterations=70, l2=1e-7):
    ids, allowed, _ = prepare(records)
    return linear.fit(matrix(ids), allowed, l2, iterations)


def decode(logp):
    """Best label path: I-x only after B-x or I-x."""
    n, k = logp.shape
    score = logp[0].copy()
    score[2::2] = -np.inf
    back = np.zeros((n, k), np.int32)
    for i in range(1, n):
        best = int(score.argmax())
        new = np.full(k, score[best])
        back[i] = best
        for inside in range(2, k, 2):
            begin = inside - 1
            source = begin if score[begin] >= score[inside] else inside
            new[inside], back[i, inside] = score[source], source
        score = new + logp[i]
    path = [int(score.argmax())]
    for i in range(n - 1, 0, -1):
        path.append(int(back[i, path[-1]]))
    return path[::-1]


def spans_of(path):
    """[(first token, last token, type index)]"""
    out = []
    for i, label in enumerate(path):
        if label == 0:
            continue
        kind = (label - 1) // 2
        if label % 2 == 0 and out and out[-1][1] == i - 1 and out[-1][2] == kind:
            out[-1] = (out[-1][0], i, kind)
        else:
            out.append((i, i, kind))
    return out


def predict(ids, w, b, lengths):
    """[[(first token, last token, type index, least token probability of the type)]] for each text."""
    p = linear.softmax(matrix(ids) @ w + b)
    logp = np.log(p + 1e-9)
    out, at = [], 0
    for n in lengths:
        mine = p[at : at + n]
        found = []
        for s, e, kind in spans_of(decode(logp[at : at + n])):
            prob = mine[s : e + 1, 1 + 2 * kind] + mine[s : e + 1, 2 + 2 * kind]
            found.append((s, e, kind, float(prob.mean())))
        out.append(found)
        at += n
    return out


def measure(records, w, b, threshold=0.5):
    """{type: (precision, recall, f1)} over exact spans, annotated types only; `ALL` is micro."""
    ids, _, lengths = prepare(records)
    found = predict(ids, w, b, lengths)
    counts = {t: [0, 0, 0] for t in [*TYPES, "ALL"]}
    usable = (r for r in records if tokenise(r["text"]))
    for r, mine in zip(usable, found, strict=True):
        tokens = tokenise(r["text"])
        known = r.get("annotated")
        got = {(tokens[s][0], tokens[e][1], TYPES[k]) for s, e, k, p in mine if p >= threshold}
        got = {g for g in got if known is None or g[2] in known}
        want = {(s["start"], s["end"], s["label"]) for s in r["spans"] if s["label"] in BEGIN}
        for t in counts:
            g = {x for x in got if t in ("ALL", x[2])}
            v = {x for x in want if t in ("ALL", x[2])}
            for i, n in enumerate((len(g & v), len(g), len(v))):
                counts[t][i] += n
    out = {}
    for t, (hit, g, v) in counts.items():
        precision, recall = hit / max(g, 1), hit / max(v, 1)
        out[t] = (precision, recall, 2 * precision * recall / max(precision + recall, 1e-9))
    return out
