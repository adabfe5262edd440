"""Guard texts made anew in every round: attacks and harmless texts laid into harmless documents, and other spellings of both."""

import re

import numpy as np

from common import read
from tasks import authored_guard, kept_back

HAN = re.compile(r"[一-鿿]")


class Composer:
    """Both labels go through the same mill, so that only the meaning tells them apart, not length, place or form."""

    def __init__(self):
        long = [r["text"] for i, r in enumerate(read("text/en_textbooks")) if i % 25 == 0 and 120 < len(r["text"]) < 900]
        zh = [r["text"] for r in read("text/zh_abstracts") if len(r["text"]) > 60][:2500]
        calm = [(t, lang) for t, label, lang, kind in authored_guard() if label == 0 and not kept_back(t)]
        self.around = {"en": long + [t for t, lang in calm if lang == "en" and len(t) > 120],
                       "zh": zh + [t for t, lang in calm if lang == "zh" and len(t) > 50]}
        self.calm = {lang: [t for t, x in calm if x == lang] for lang in ("en", "zh")}

    def __call__(self, text, label, rng):
        lang = "zh" if sum("一" <= c <= "鿿" for c in text) > 0.15 * len(text) else "en"
        longest = 420 if lang == "en" else 150
        # Harmful requests stay as they are: what makes them harmful is the whole, not a part in a document.
        if label != 1 and len(text) < longest * 0.6 and rng.random() < 0.22:
            text = self.lay_in(text, lang, longest, rng)
        elif label != 1 and len(text) < longest * 0.5 and rng.random() < 0.1:
            other = self.calm[lang][rng.integers(len(self.calm[lang]))]
            text = "\n".join([other[:200], text] if rng.random() < 0.5 else [text, other[:200]])
        if label != 1 and rng.random() < 0.08:
            text = f"{text} {noise(rng)}" if rng.random() < 0.6 else f"{noise(rng)} {text}"
        return self.spell(text, rng)

    def lay_in(self, text, lang, longest, rng):
        room = longest - len(text)
        document = self.around[lang][rng.integers(len(self.around[lang]))]
        begin = int(rng.integers(0, max(1, len(document) - room))) if len(document) > room else 0
        document = document[begin:begin + room]
        marks = [i + 1 for i, c in enumerate(document) if c in ".!?。！？；\n"] or [len(document)]
        at = [0, len(document), marks[rng.integers(len(marks))]][rng.choice(3, p=[0.2, 0.35, 0.45])]
        gap = ["\n", " ", "\n\n", "\n---\n", " \""][rng.choice(5, p=[0.4, 0.3, 0.15, 0.08, 0.07])]
        return document[:at] + (gap if at else "") + text + ("\"" if gap == " \"" else gap) + document[at:]

    def spell(self, text, rng):
        r = rng.random()
        if r < 0.06:
            return text.lower()
        if r < 0.08:
            return text.upper()
        if r < 0.11:
            return "".join(c for c in text if c not in ".,!?\"'。，！？、“”")
        if r < 0.13 and len(text) > 20:
            i = int(rng.integers(1, len(text) - 1))
            return text[:i] + text[i + 1:]
        return text


def noise(rng):
    """Keys, hashes, identifiers and letters at random, as requests are full of: they say nothing of what is asked."""
    letters = ["abcdefghijklmnopqrstuvwxyz", "0123456789abcdef", "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789",
               "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"][rng.integers(4)]
    words = ["".join(letters[i] for i in rng.integers(0, len(letters), int(rng.integers(6, 40))))
             for _ in range(int(rng.integers(1, 4)))]
    return [" ", "-", "\n", "_"][rng.integers(4)].join(words)


class Swap:
    """Texts marked by hand with other names, places, organisations and streets in them: each is seen in many contexts."""

    LABELS = {"PERSON", "ORGANIZATION", "GPE", "STREET_ADDRESS"}

    def __init__(self, records):
        self.pool = {}
        for record in records:
            if self.can(record):
                text, spans = record[:2]
                for start, end, label in spans:
                    self.pool.setdefault(self.kind(text[start:end], label), []).append(text[start:end])

    @staticmethod
    def can(record):
        """Whether all labels of the text were marked. record: (text, spans, annotated labels or None, weight)"""
        return record[2] is None and bool(record[1])

    @staticmethod
    def kind(value, label):
        """What may stand for it: of its label and script; a lone Chinese surname, a single name and a whole one each for itself."""
        if HAN.search(value):
            return label, "zh", min(len(value), 2) if label == "PERSON" else 0
        return label, "en", min(value.count(" "), 1) if label == "PERSON" else value == value.lower()

    def __call__(self, record, rng):
        """(text, spans) with some of its spans replaced."""
        text, spans = record[:2]
        out, found, at = "", [], 0
        for start, end, label in sorted(spans):
            value = text[start:end]
            if label in self.LABELS and rng.random() < 0.6:
                pool = self.pool[self.kind(value, label)]
                value = pool[rng.integers(len(pool))]
            out += text[at:start]
            found.append((len(out), len(out) + len(value), label))
            out += value
            at = end
        return out + text[at:], found


def stretch(n, weights, rng):
    """Indices of one round: a record of weight 2.3 is there two or three times, one of 0.4 in four rounds of ten."""
    weights = np.asarray(weights)
    times = np.floor(weights + rng.random(n)).astype(int)
    return np.repeat(np.arange(n), times)
