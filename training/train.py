"""Trains every head and writes `encoder.onnx`, `encoder.json`. Usage: python training/train.py --data DIR --out DIR"""

import argparse
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

import authored
import data
import describe
import entities
import export
import jailbreak
import linear
import similarity
from features import BUCKETS, features

SEED = 7


def all_ids(texts):
    return [features(t)[1] for t in texts]


def pick(items, n, rng):
    return [items[i] for i in rng.permutation(len(items))[:n]]


def category_rows(root, dev, rng):
    """(texts, label names, weights): questions, questions with their options, textbook paragraphs, authored requests."""
    rows = []
    for r in data.read(root, "category/train"):
        rows.append((r["text"], r["label"], 1.0))
        if "options" in r:
            rows.append((r["text"] + "\n" + "\n".join(map(str, r["options"])), r["label"], 0.7))
    held_out = {r["text"][:60] for r in dev}
    books = defaultdict(list)
    for r in data.read(root, "text/en_textbooks"):
        if 80 < len(r["text"]) < 700 and r["text"][:60] not in held_out:
            books[r["label"]].append(r["text"])
    for label in sorted(books):
        rows += [(t, label, 0.4) for t in pick(books[label], 2500, rng)]
    rows += [(t, label, 5.0) for label, ts in authored.CATEGORY.items() for t in ts]
    return rows


def train_category(root, rng):
    dev = data.read(root, "category/dev")
    rows = category_rows(root, dev, rng)
    labels = sorted({label for _, label, _ in rows})
    ids = all_ids(t for t, _, _ in rows)
    idf = data.inverse_frequency(ids, BUCKETS)
    y = [labels.index(label) for _, label, _ in rows]
    x = data.rows(ids, idf)
    w, b = linear.fit(x, linear.one_hot(y, len(labels)), 3e-6, 60, np.array([v for _, _, v in rows]))
    z = data.rows(all_ids(r["text"] for r in dev), idf) @ w + b
    divisor = linear.temperature(z, np.array([labels.index(r["label"]) for r in dev]))
    return labels, (w, b, divisor), idf


def train_jailbreak(root, idf, rng):
    sources = (("category/train", 8000), ("text/en_short", 5000), ("text/zh_prompts", 5000))
    sources += (("text/en_textbooks", 3000), ("pii/train", 2000))
    plain = [t[:1200] for name, n in sources for t in pick([r["text"] for r in data.read(root, name)], n, rng)]
    texts, labels, weights = jailbreak.training_rows(data.read(root, "jailbreak/train"), plain, rng)
    w, b = jailbreak.train(texts, labels, weights, idf)
    dev = data.read(root, "jailbreak/dev")
    z = jailbreak.score([r["text"] for r in dev], w, b, idf)
    slope, shift = jailbreak.calibrate(z, np.array([r["label"] == "jailbreak" for r in dev]))
    return w, b, slope, shift


def train_similarity(root, rng):
    corpus = [r["text"] for r in data.read(root, "text/en_short")]
    corpus += [r["text"] for r in data.read(root, "text/zh_prompts")[:100_000]]
    start = data.inverse_frequency([features(t)[0] for t in corpus], BUCKETS)
    # Word order is beyond these features, and numbers have their own part of the vector: neither can be learnt here.
    pairs = [r for r in data.read(root, "similarity/pairs_train") if r["source"] not in ("paws-wiki", "number-swap")]
    pairs += [{"a": a, "b": b, "label": 0, "source": "swap"} for a, b in similarity.swaps(corpus, start, rng, 5000)]
    for frame in authored.FRAMES:
        places = authored.ENGLISH_PLACES if frame.isascii() else authored.CHINESE_PLACES
        for _ in range(60):
            one, other = (frame.format(places[i]) for i in rng.permutation(len(places))[:2])
            pairs.append({"a": one, "b": other, "label": 0, "source": "swap"})
    a, b = (similarity.presence([features(r[k])[0] for r in pairs], BUCKETS) for k in "ab")
    graded = [r["source"] == "sts-b" for r in pairs]
    target = [np.clip(2 * r["score"] - 1, 0, 1) if g else r["label"] for r, g in zip(pairs, graded, strict=True)]
    weights, _ = similarity.learn_weights(a, b, np.array(target, float), start, np.where(graded, 0.3, 1.0), l2=5e-6)
    return weights


def train_entities(root, rng):
    """Beside the annotated texts, questions: they hold names, but no addresses, ages or titles to speak of."""
    plain = pick([r["text"] for r in data.read(root, "text/en_short") if len(r["text"]) < 200], 4000, rng)
    plain += pick([r["text"] for r in data.read(root, "text/zh_prompts")], 2000, rng)
    absent = ["STREET_ADDRESS", "AGE", "TITLE", "ZIP_CODE"]
    records = data.read(root, "pii/train") + [{"text": t, "spans": [], "annotated": absent} for t in plain]
    records += [{"text": t, "spans": []} for t in authored.NO_ENTITIES] * 3
    return entities.train(records)


def main():
    root = Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=root.parent / "shared" / "data")
    parser.add_argument("--out", type=Path, default=root / "models")
    args = parser.parse_args()
    began = time.time()

    def say(what):
        print(f"{time.time() - began:6.0f} s  {what}", flush=True)

    labels, category, idf = train_category(args.data, np.random.default_rng(SEED))
    say("category")
    guard = train_jailbreak(args.data, idf, np.random.default_rng(SEED))
    say("jailbreak")
    weights = train_similarity(args.data, np.random.default_rng(SEED))
    say("similarity")
    tokens = train_entities(args.data, np.random.default_rng(SEED))
    say("entities")
    args.out.mkdir(parents=True, exist_ok=True)
    export.write(export.build(category, guard, weights, similarity.projection(), tokens, idf), args.out / "encoder.onnx")
    describe.write(args.out, labels)
    say(f"wrote {args.out}")


if __name__ == "__main__":
    main()
