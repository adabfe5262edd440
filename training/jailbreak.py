"""Training rows, training and measurement of the jailbreak head."""

import numpy as np

import authored
import data
import linear
from features import features

WINDOW, STRIDE, WHOLE = 600, 400, 2400  # characters; encoder.json carries the same numbers


def windows(text):
    """A text of up to WHOLE characters is scored in one piece, and every text longer than WINDOW in overlapping windows."""
    parts = [text] if len(text) <= WHOLE else []
    if len(text) > WINDOW:
        starts = range(0, max(len(text) - WINDOW, 0) + STRIDE, STRIDE)
        parts += [text[s : s + WINDOW] for s in starts if s < len(text)]
    return parts


def training_rows(records, plain, rng):
    """(texts, labels, weights). `plain` holds texts that nobody meant as attacks."""
    texts, labels, weights = [], [], []

    def add(text, label, weight=1.0):
        texts.append(text)
        labels.append(label)
        weights.append(weight)

    for r in records:
        positive = r["label"] == "jailbreak"
        add(r["text"], positive)
        if not positive and len(r["text"]) > WINDOW:
            for part in windows(r["text"])[1:]:
                add(part, False, 0.5)
    for text in plain:
        add(text, False, 0.5)
    for text in authored.HARD_BENIGN:
        add(text, False, 6.0)
    for text in authored.hard_benign():
        add(text, False, 2.0)
    for texts_of in authored.CATEGORY.values():
        for text in texts_of:
            add(text, False, 2.0)
    for text in authored.ATTACKS:
        add(text, True, 4.0)
    for _ in range(2500):
        style, text = authored.STYLES[rng.integers(len(authored.STYLES))], plain[rng.integers(len(plain))][:300]
        add(f"{style} {text}" if rng.integers(2) else f"{text} {style}", False, 0.5)
    # Attacks inside innocent text, and as much innocent text glued together: neither length nor gluing may tell.
    short = [r["text"] for r in records if r["label"] == "jailbreak" and len(r["text"]) <= 300] + authored.ATTACKS * 3
    for _ in range(4000):
        attack = short[rng.integers(len(short))]
        before, after = (plain[rng.integers(len(plain))][: rng.integers(20, 400)] for _ in range(2))
        add(" ".join((before, attack, after)[int(rng.integers(2)) :]), True, 0.5)
        add(" ".join((before, plain[rng.integers(len(plain))][:200], after)), False, 0.5)
    return texts, np.array(labels, int), np.array(weights)


def train(texts, labels, weights, idf, iterations=50, l2=3e-6):
    """Weights (buckets,) and bias of the log odds."""
    x = data.rows([features(t)[1] for t in texts], idf)
    w, b = linear.fit(x, linear.one_hot(labels, 2), l2, iterations, weights)
    return w[:, 1] - w[:, 0], float(b[1] - b[0])


def score(texts, w, b, idf):
    """Highest log odds over the windows of each text."""
    parts = [windows(t) for t in texts]
    x = data.rows([features(p)[1] for ps in parts for p in ps], idf)
    z = x @ w + b
    out, at = [], 0
    for ps in parts:
        out.append(z[at : at + len(ps)].max() if ps else b)
        at += len(ps)
    return np.array(out)


def calibrate(z, labels):
    """(scale, shift) so that sigmoid(scale * z + shift) has the least log loss on held-out text."""
    best = (np.inf, 1.0, 0.0)
    for scale in np.geomspace(0.3, 3, 25):
        for shift in np.linspace(-3, 3, 61):
            p = 1 / (1 + np.exp(-(scale * z + shift)))
            loss = -np.mean(np.where(labels, np.log(p + 1e-9), np.log(1 - p + 1e-9)))
            best = min(best, (loss, float(scale), float(shift)))
    return best[1:]
