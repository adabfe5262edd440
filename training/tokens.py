"""Texts to ids and letter cases, and lists of them to padded batches."""

import numpy as np
import torch
from tokenizers import Tokenizer

from common import CLS, SEP, WINDOW, WORK

NONE, TITLE, UPPER, MIXED = range(4)


def case_of(word):
    """Letter case of a word: 0 small or without case, 1 Capital first, 2 ALL CAPITALS (two or more), 3 mIxed."""
    if word.islower() or word == word.lower():
        return NONE
    if word == word.upper():
        return UPPER if sum(c.isalpha() for c in word) > 1 else TITLE
    return TITLE if word[:1] != word[:1].lower() and word[1:] == word[1:].lower() else MIXED


class Tokens:
    """The tokenizer with the letter cases that lower-casing loses."""

    def __init__(self, path=WORK / "tokenizer.json"):
        self.inner = Tokenizer.from_file(str(path))
        # What a user writes is text: "[MASK]" in a prompt is no mask.
        self.inner.encode_special_tokens = True
        self.size = max(self.inner.get_vocab().values()) + 1

    def __call__(self, texts, offsets=False):
        """[(ids, cases)] or [(ids, cases, [(start, end)])] without [CLS] and [SEP]; offsets in code points."""
        out = []
        for i in range(0, len(texts), 2048):
            part = texts[i:i + 2048]
            for text, e in zip(part, self.inner.encode_batch(part, add_special_tokens=False)):
                words, spans = e.word_ids, e.offsets
                cases = np.zeros(len(words), np.int8)
                j = 0
                while j < len(words):
                    k = j
                    while k < len(words) and words[k] == words[j]:
                        k += 1
                    cases[j:k] = case_of(text[spans[j][0]:spans[k - 1][1]])
                    j = k
                ids = np.array(e.ids, np.int32)
                out.append((ids, cases, spans) if offsets else (ids, cases))
        return out


def pad(items, window=WINDOW, generator=None):
    """[(ids, cases)] -> ids, cases, keep (texts, longest). Longer ones are cut, at a random place when there is a generator."""
    cut = []
    for ids, cases in items:
        if len(ids) > window - 2:
            at = int(generator.integers(0, len(ids) - window + 3)) if generator is not None else 0
            ids, cases = ids[at:at + window - 2], cases[at:at + window - 2]
        cut.append((ids, cases))
    width = width_for(max(len(ids) for ids, _ in cut) + 2)
    out = np.zeros((len(cut), width), np.int64)
    shape = np.zeros((len(cut), width), np.int64)
    keep = np.zeros((len(cut), width), bool)
    for i, (ids, cases) in enumerate(cut):
        n = len(ids)
        out[i, 0], out[i, n + 1] = CLS, SEP
        out[i, 1:n + 1], shape[i, 1:n + 1] = ids, cases
        keep[i, :n + 2] = True
    return torch.from_numpy(out), torch.from_numpy(shape), torch.from_numpy(keep)


WIDTHS = np.array([*range(8, 33, 4), 40, 48, 56, 64, 80, 96, 112, 128])


def width_for(length):
    """Few widths only: a CPU's matrix library compiles a kernel for every new shape."""
    return int(WIDTHS[np.searchsorted(WIDTHS, length)])


def batches(lengths, budget, generator, window=WINDOW):
    """Index lists of texts of one padded width, about `budget` tokens each, in random order."""
    lengths = np.minimum(np.asarray(lengths) + 2, window)
    widths = WIDTHS[np.searchsorted(WIDTHS, lengths)]
    out = []
    for width in np.unique(widths):
        index = generator.permutation(np.flatnonzero(widths == width))
        size = max(1, budget // int(width))
        out += [index[i:i + size] for i in range(0, len(index), size)]
    generator.shuffle(out)
    return out
