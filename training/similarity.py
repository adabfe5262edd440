"""The sentence vector: one learnt weight per feature bucket times a fixed random projection."""

from itertools import pairwise

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from features import LETTER, SINGLE, features, kind, split

DIMS = 256
ROWS = 1 << 14
SEED = 20240607
# Length of the part that stands for the numbers of a text, beside a text part of length 1: two texts with
# other numbers stay below 1 / (1 + 0.45^2) = 0.83 however long and alike they are.
NUMBER_SHARE = 0.45


def projection():
    """(ROWS, DIMS) int8, the same for ever: bucket b uses row b mod ROWS."""
    rng = np.random.default_rng(SEED)
    return np.clip(np.round(rng.standard_normal((ROWS, DIMS)) * 40), -127, 127).astype(np.int8)


def presence(id_lists, buckets):
    indptr = np.zeros(len(id_lists) + 1, np.int64)
    indptr[1:] = np.cumsum([len(x) for x in id_lists])
    indices = np.fromiter((i for x in id_lists for i in x), np.int32, indptr[-1])
    return csr_matrix((np.ones(len(indices), np.float32), indices, indptr), shape=(len(id_lists), buckets))


def learn_weights(a, b, target, start, sample, iterations=60, l2=2e-5):
    """Feature weights (buckets,) from `start`, so that the cosine of a pair separates `target` (0..1) at a learnt threshold.

    a, b: (pairs, buckets) presence; start: (buckets,) positive; sample: (pairs,) weights.
    """
    d = a.shape[1]
    both = a.multiply(b).tocsr()
    at, bt, ct = a.T.tocsr(), b.T.tocsr(), both.T.tocsr()
    base = np.log(start).astype(np.float64)

    def loss(flat):
        theta, slope, cut = flat[:d], np.exp(flat[d]), flat[d + 1]
        sq = np.exp(2 * (base + theta))
        na, nb, dot = a @ sq + 1e-9, b @ sq + 1e-9, both @ sq
        cos = dot / np.sqrt(na * nb)
        z = slope * (cos - cut)
        p = 1 / (1 + np.exp(-z))
        value = -(sample * (target * np.log(p + 1e-9) + (1 - target) * np.log(1 - p + 1e-9))).mean()
        dz = sample * (p - target) / len(target)
        dcos = dz * slope
        dsq = ct @ (dcos / np.sqrt(na * nb)) - at @ (0.5 * dcos * cos / na) - bt @ (0.5 * dcos * cos / nb)
        grad = np.empty_like(flat)
        grad[:d] = dsq * sq * 2 + l2 * theta
        grad[d] = (dz * (cos - cut)).sum() * slope
        grad[d + 1] = -dz.sum() * slope
        return value + 0.5 * l2 * (theta**2).sum(), grad

    x0 = np.zeros(d + 2)
    x0[d], x0[d + 1] = np.log(8.0), 0.7
    bounds = [(-4, 2)] * d + [(np.log(4), np.log(20)), (0.4, 0.9)]
    result = minimize(loss, x0, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": iterations, "maxcor": 5})
    return np.exp(base + result.x[:d]).astype(np.float32), float(result.x[d + 1])


def swaps(texts, weights, rng, n):
    """[(text, text with one telling word or pair of Chinese characters exchanged)]: near copies that must not match."""
    words, out = [], []
    for text in texts:
        spans = [(s, e) for s, e, k in split(text) if k == LETTER and e - s >= 4]
        spans += [(a[0], b[1]) for a, b in pairwise(split(text)) if a[2] == b[2] == SINGLE and a[1] == b[0]]
        if not spans or len(text) > 60:
            continue
        telling = [weights[features(text[s:e])[0]].mean() for s, e in spans]
        s, e = spans[int(np.argmax(telling))]
        words.append((text, s, e))
    for i in rng.permutation(len(words))[:n]:
        text, s, e = words[i]
        other, os, oe = words[rng.integers(len(words))]
        single = kind(text[s]) == SINGLE
        if other[os:oe].lower() != text[s:e].lower() and single == (kind(other[os]) == SINGLE):
            out.append((text, text[:s] + other[os:oe] + text[e:]))
    return out
