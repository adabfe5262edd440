"""Dev figures of an exported model. Usage: python training/evaluate.py --data DIR --models DIR"""

import argparse
import json
from collections import defaultdict
from pathlib import Path

import numpy as np

import authored
import data
import entities
from runtime import Runtime

SHOWN = [
    ("What is the capital of France?", "what is the capital of france"),
    ("What is the capital of France?", "Tell me the capital of France"),
    ("What is the capital of France?", "What is the capital of Germany?"),
    ("How do I reset my password?", "What's the way to reset my password?"),
    ("Convert 15 miles to km", "Convert 16 miles to km"),
    ("Is aspirin safe?", "Is aspirin not safe?"),
    ("How do I enable logging?", "How do I disable logging?"),
    ("Write a poem about autumn", "Compose a poem about autumn"),
    ("What is 2+2?", "What is 2-2?"),
    ("什么是光合作用？", "请解释光合作用"),
    ("法国的首都是哪里？", "德国的首都是哪里？"),
]


def category(run, labels, root):
    table = defaultdict(list)
    for r in data.read(root, "category/dev"):
        p = run(r["text"])["category"]
        hit = (labels[int(p.argmax())] == r["label"], float(p.max()))
        for key in (r["lang"], f"{r['lang']} {r['kind']}"):
            table[key].append(hit)
    for key, hits in sorted(table.items()):
        sure = [h for h, p in hits if p >= 0.5]
        accuracy = np.mean([h for h, _ in hits])
        print(f"category {key:12} n {len(hits):5} accuracy {accuracy:.3f}   p >= 0.5: share {len(sure) / len(hits):.2f} accuracy {np.mean(sure):.3f}")


def jailbreak(run, root):
    table = defaultdict(list)
    for r in data.read(root, "jailbreak/dev"):
        p = run(r["text"])["jailbreak"]
        for key in ("attack" if r["label"] == "jailbreak" else "rest", f"{r['lang']} {r['label']}/{r['kind']}"):
            table[key].append(p)
    for key, ps in sorted(table.items()):
        print(f"jailbreak {key:24} n {len(ps):4} flagged", " ".join(f"{t}: {np.mean(np.array(ps) >= t):.3f}" for t in (0.5, 0.7, 0.9)))


def similarity(run, root):
    table = defaultdict(list)
    for r in data.read(root, "similarity/pairs_dev"):
        cos = float(run(r["a"])["embedding"] @ run(r["b"])["embedding"])
        table[f"{r['source']} {r.get('how', '')} {'same' if r['label'] else 'other'}"].append(cos)
    for key, cs in sorted(table.items()):
        cs = np.array(cs)
        shares = " ".join(f"{t}: {np.mean(cs >= t):.3f}" for t in (0.8, 0.85, 0.9, 0.95))
        print(f"similarity {key:44} n {len(cs):4} median {np.median(cs):.3f}  at or above {shares}")
    for a, b in SHOWN:
        print(f"similarity {float(run(a)['embedding'] @ run(b)['embedding']):.3f}  {a} | {b}")


def pii(run, root):
    def heads(records):
        for r in records:
            got = run(r["text"])
            spans = got["spans"]
            if spans:
                yield r, spans, got["entities"]

    counts = defaultdict(lambda: [0, 0, 0])
    for r, spans, p in heads(data.read(root, "pii/dev")):
        known = r.get("annotated")
        found = set()
        for s, e, k in entities.spans_of(entities.decode(np.log(p + 1e-9))):
            score = (p[s : e + 1, 1 + 2 * k] + p[s : e + 1, 2 + 2 * k]).mean()
            if score >= 0.5 and (known is None or entities.TYPES[k] in known):
                found.add((spans[s][0], spans[e][1], entities.TYPES[k]))
        want = {(x["start"], x["end"], x["label"]) for x in r["spans"] if x["label"] in entities.TYPES}
        for key in ("all", f"source {r['source']}", f"lang {r['lang']}", *entities.TYPES):
            g, v = ({x for x in xs if key not in entities.TYPES or x[2] == key} for xs in (found, want))
            counts[key] = [a + b for a, b in zip(counts[key], (len(g & v), len(g), len(v)), strict=True)]
    for key, (hit, g, v) in sorted(counts.items()):
        print(f"entities {key:32} spans {v:5} precision {hit / max(g, 1):.3f} recall {hit / max(v, 1):.3f} f1 {2 * hit / max(g + v, 1):.3f}")


def main():
    root = Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=root.parent / "shared" / "data")
    parser.add_argument("--models", type=Path, default=root / "models")
    args = parser.parse_args()
    run = Runtime(args.models / "encoder.onnx")
    labels = json.loads((args.models / "encoder.json").read_text(encoding="utf-8"))["labels"]
    category(run, labels, args.data)
    jailbreak(run, args.data)
    similarity(run, args.data)
    pii(run, args.data)
    everyday = [t for ts in authored.CATEGORY.values() for t in ts] + authored.hard_benign()
    print("highest jailbreak score of an authored benign text", round(max(run(t)["jailbreak"] for t in everyday), 3))
    print("lowest jailbreak score of an authored attack", round(min(run(t)["jailbreak"] for t in authored.ATTACKS), 3))


if __name__ == "__main__":
    main()
