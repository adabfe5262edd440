"""Tokens of the entity head and their hashed features. `src/models/tokens.ts` computes the same."""

import numpy as np

from features import LETTER, PRIME, PUNCTUATION, SINGLE, SYMBOL, U32, fnv, kind, mix, split, units

FEATURES = 24
TOKEN_BUCKETS = 1 << 17
MASK = TOKEN_BUCKETS - 1
EDGE = 0x1B873593  # stands for the places before the first and after the last token
KEEP = (LETTER, SINGLE, SYMBOL, PUNCTUATION)
MAX_TOKEN = 40


def tokenise(text):
    """[(start, end)] in code points."""
    return [(s, e) for s, e, _ in split(text, KEEP)]


def shape_codes(word, squeeze):
    out = []
    for ch in word:
        c = ord(ch)
        if 48 <= c <= 57:
            s = 100
        elif kind(ch) == SINGLE:
            s = 99
        elif kind(ch) == LETTER:
            s = 120 if ch.lower() == ch else 88
        else:
            s = c & 0xFFFF
        if squeeze and len(out) >= 2 and out[-1] == s and out[-2] == s:
            continue
        out.append(s)
        if len(out) == 10:
            break
    return out


_cache = {}


def token_hashes(word):
    """Raw hashes: word, squeezed shape, long shape, prefixes 2 to 4, suffixes 2 to 4."""
    known = _cache.get(word)
    if known is None:
        low = units(word.lower().replace("\u03c2", "\u03c3"))[:MAX_TOKEN]
        known = _cache[word] = (
            fnv(low),
            fnv(shape_codes(word, True)),
            fnv(shape_codes(word, False)),
            fnv(low[:2]),
            fnv(low[:3]),
            fnv(low[:4]),
            fnv(low[-2:]),
            fnv(low[-3:]),
            fnv(low[-4:]),
        )
    return known


def combine(*parts):
    h = np.zeros_like(parts[0])
    for p in parts:
        h = ((h * PRIME) & U32) ^ p
    return h


def rows_of(words):
    """(tokens, FEATURES) int32 ids."""
    n = len(words)
    base = np.full((n + 6, 9), EDGE, np.uint64)
    for i, w in enumerate(words):
        base[i + 3] = token_hashes(w)

    def at(col, shift):
        return base[3 + shift : 3 + shift + n, col]

    w, s = (lambda d: at(0, d)), (lambda d: at(1, d))
    columns = [
        combine(w(0)),
        combine(w(-1)),
        combine(w(1)),
        combine(w(-2)),
        combine(w(2)),
        combine(w(-1), w(0)),
        combine(w(0), w(1)),
        combine(s(0)),
        combine(s(-1), s(0), s(1)),
        combine(at(2, 0)),
        combine(at(3, 0)),
        combine(at(4, 0)),
        combine(at(5, 0)),
        combine(at(6, 0)),
        combine(at(7, 0)),
        combine(at(8, 0)),
        combine(w(-2), w(-1)),
        combine(w(1), w(2)),
        combine(w(-1), w(0), w(1)),
        combine(w(-1), s(0)),
        combine(w(1), s(0)),
        combine(s(-2), s(-1), s(0)),
        combine(w(-3), w(-2), w(-1)),
        combine(s(0), s(1), s(2)),
    ]
    assert len(columns) == FEATURES
    ids = np.empty((n, FEATURES), np.int32)
    for j, h in enumerate(columns):
        ids[:, j] = mix((h + np.uint64((j * 0x9E3779B1) & U32)) & U32) & MASK
    return ids
