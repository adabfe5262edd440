"""Reads the labelled collections. The data directory is never copied; records stay dicts."""

import gzip
import json
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix


def read(root, name):
    with gzip.open(Path(root) / f"{name}.jsonl.gz", "rt", encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def rows(id_lists, idf):
    """(texts, buckets) float32: idf of each feature present, every row of unit length, so that length says nothing."""
    indptr = np.zeros(len(id_lists) + 1, np.int64)
    indptr[1:] = np.cumsum([len(x) for x in id_lists])
    indices = np.fromiter((i for x in id_lists for i in x), np.int32, indptr[-1])
    values = idf[indices].astype(np.float32)
    x = csr_matrix((values, indices, indptr), shape=(len(id_lists), len(idf)))
    norm = np.sqrt(np.asarray(x.multiply(x).sum(1)).ravel())
    x.data /= np.repeat(np.maximum(norm, 1e-6), np.diff(indptr)).astype(np.float32)
    return x


def inverse_frequency(id_lists, buckets):
    """(buckets,) float32 ln((1 + n) / (1 + df)) + 0.1; a feature never seen weighs most."""
    df = np.zeros(buckets)
    for ids in id_lists:
        df[ids] += 1
    return (np.log((1 + len(id_lists)) / (1 + df)) + 0.1).astype(np.float32)
