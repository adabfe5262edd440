"""Text to hashed feature ids. `src/models/features.ts` computes the same ids; `fixture.py` writes the cases that check it."""

import unicodedata

import numpy as np

BUCKET_BITS = 18
BUCKETS = 1 << BUCKET_BITS
MASK = BUCKETS - 1
MAX_WORD = 40
U32 = 0xFFFFFFFF
PRIME = 16777619
WORD_SEED = 2166136261
GRAM_SEED = 0x9E3779B1
PAIR_SEED = 0x85EBCA6B
TRIPLE_SEED = 0xC2B2AE35

SPACE, LETTER, SINGLE, SYMBOL, PUNCTUATION = range(5)
SYMBOLS = frozenset(map(ord, "+-*/=<>^%$#@&|\\~_\u00d7\u00f7"))
# Combining accents and invisible characters: used to break words apart, so they go.
DROPPED = dict.fromkeys(
    [*range(0x300, 0x370), *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF, 0xAD]
)
DROPPED[0x3C2] = 0x3C3  # final sigma: where a word ends is not for lower-casing to decide


def kind_of(c):
    """Class of one code point. Ranges are spelt out: Unicode tables differ between runtimes."""
    if c < 0x80:
        if 97 <= c <= 122 or 48 <= c <= 57 or 65 <= c <= 90:
            return LETTER
        if c <= 0x20 or c == 0x7F:
            return SPACE
        return SYMBOL if c in SYMBOLS else PUNCTUATION
    if c <= 0xA0:
        return SPACE
    if c < 0xC0:
        return PUNCTUATION
    if c in (0xD7, 0xF7):
        return SYMBOL
    if c < 0x2000:
        return LETTER
    if c < 0x2070:
        return SPACE if c < 0x2010 or 0x2028 <= c <= 0x202F or c >= 0x205F else PUNCTUATION
    if c < 0x2190:
        return LETTER
    if c < 0x2C00:
        return SYMBOL
    if c < 0x3000:
        return LETTER
    if c == 0x3000 or c == 0xFEFF:
        return SPACE
    if c < 0x3040:
        return PUNCTUATION
    if c < 0x3100 or 0x3400 <= c < 0xA000 or 0xF900 <= c < 0xFB00 or c >= 0x10000 or 0xD800 <= c < 0xE000:
        return SINGLE
    if 0xFE30 <= c < 0xFE70 or 0xFF00 <= c < 0xFF10 or 0xFF1A <= c < 0xFF21:
        return PUNCTUATION
    return LETTER


_kinds = {}


def kind(ch):
    k = _kinds.get(ch)
    if k is None:
        k = _kinds[ch] = kind_of(ord(ch))
    return k


def normalise(text):
    return unicodedata.normalize("NFKD", text).lower().translate(DROPPED)


def units(s):
    """UTF-16 code units."""
    return np.frombuffer(s.encode("utf-16-le", "surrogatepass"), "<u2").tolist()


def fnv(codes, h=WORD_SEED):
    for c in codes:
        h = ((h ^ c) * PRIME) & U32
    return h


def mix(h):
    """Final avalanche, works on ints and on uint32 arrays."""
    h ^= h >> 16
    h = (h * 0x85EBCA6B) & U32
    h ^= h >> 13
    h = (h * 0xC2B2AE35) & U32
    return h ^ (h >> 16)


def split(text, keep=(LETTER, SINGLE, SYMBOL)):
    """[(start, end, kind)] of a text: runs of letters and digits, single characters otherwise."""
    out, start = [], -1
    for i, ch in enumerate(text):
        k = kind(ch)
        if k == LETTER:
            if start < 0:
                start = i
            continue
        if start >= 0:
            out.append((start, i, LETTER))
            start = -1
        if k in keep:
            out.append((i, i + 1, k))
    if start >= 0:
        out.append((start, len(text), LETTER))
    return out


_words = {}


def word_features(word, is_letters):
    """(raw hash, ids for the embedding, ids only for the classifiers)"""
    known = _words.get(word)
    if known is not None:
        return known
    codes = units(word)[:MAX_WORD]
    raw = fnv(codes)
    short, longer = [mix(raw) & MASK], []
    if is_letters and len(codes) >= 3:
        padded = [60, *codes, 62]
        for i in range(len(padded) - 2):
            h = fnv(padded[i : i + 3], GRAM_SEED)
            short.append(mix(h) & MASK)
            for j in (i + 3, i + 4):
                if j < len(padded):
                    h = ((h ^ padded[j]) * PRIME) & U32
                    longer.append(mix(h) & MASK)
    known = _words[word] = (raw, short, longer)
    return known


def has_digit(word):
    return any("0" <= c <= "9" for c in word)


def features(text):
    """(embedding ids, classifier ids, numbers id).

    The ids are unique, in order of first appearance; the first list begins the second. The numbers id stands for
    the sequence of all words with a digit; BUCKETS when there are none.
    """
    text = normalise(text)
    short, longer = [], []
    a = b = None  # raw hashes of the two tokens before
    a_single = b_single = False
    numbers, numbered = WORD_SEED, False
    for s, e, k in split(text):
        raw, near, far = word_features(text[s:e], k == LETTER)
        short += near
        longer += far
        if b is not None:
            pair = ((b * PRIME) & U32) ^ raw
            short.append(mix((pair + PAIR_SEED) & U32) & MASK)
            if k == SINGLE and b_single and a_single:
                triple = ((((((a * PRIME) & U32) ^ b) * PRIME) & U32) ^ raw) & U32
                longer.append(mix((triple + TRIPLE_SEED) & U32) & MASK)
        if k == LETTER and has_digit(text[s : min(e, s + MAX_WORD)]):
            numbers, numbered = ((numbers * PRIME) & U32) ^ raw, True
        a, a_single = b, b_single
        b, b_single = raw, k == SINGLE
    embed = list(dict.fromkeys(short))
    return embed, list(dict.fromkeys(short + longer)), mix(numbers) & MASK if numbered else BUCKETS
