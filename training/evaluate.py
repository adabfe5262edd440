"""Stage 5: figures of a trained model in fp32 and of the exported int8 file, on dev, authored and held-out texts.

    python training/evaluate.py [--weights work/trained.pt] [--int8 DIR] [--held-out] [--json FILE] [--calibrate]

`--held-out` measures on the sources that the model was trained without. `--calibrate` writes work/calibration.json
(temperatures and thresholds) from dev and authored texts that were kept back.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

import tasks
from common import CATEGORIES, ENTITIES, GUARD, TAGS, WINDOW, WORK, read
from network import Router
from tokens import Tokens, batches, pad

SERVED = set(ENTITIES[:9])
JAILBREAK = 0.7


def windows(n, size=WINDOW - 2, overlap=32):
    """Starts of the windows over n tokens; the last one ends where the text does."""
    if n <= size:
        return [0]
    starts = list(range(0, n - size, size - overlap))
    return starts + [n - size]


class Fp32:
    def __init__(self, path, fitted):
        self.tokens = Tokens()
        self.shift = np.array([0, 0, fitted.get("guard_shift", 0)], np.float32)
        state = torch.load(path)
        layers = 1 + max(int(k.split(".")[2]) for k in state if k.startswith("encoder.layers."))
        self.model = Router(self.tokens.size, layers)
        self.model.load_state_dict(state)
        self.model.eval()

    @torch.no_grad()
    def __call__(self, texts, which, offsets=False):
        """Head outputs, one array a text: (windows, labels), with which == "tags" (tokens, tags)."""
        encoded = self.tokens(texts, offsets=offsets)
        parts = [(t, s, (e[0][s:s + WINDOW - 2], e[1][s:s + WINDOW - 2])) for t, e in enumerate(encoded) for s in windows(len(e[0]))]
        got = [None] * len(parts)
        for b in batches([len(p[2][0]) for p in parts], 8192, np.random.default_rng(0)):
            batch = pad([parts[i][2] for i in b])
            with torch.autocast("cpu", dtype=torch.bfloat16):
                out = self.model(batch, which)
            for row, i in enumerate(b):
                got[i] = out[row].numpy()
        return gather(texts, encoded, parts, got, which, offsets)


class Int8:
    shift = 0
    """The exported file has it in its bias."""

    def __init__(self, folder):
        from export import Exported
        self.tokens = Tokens(Path(folder) / "tokenizer.json")
        self.inner = Exported(folder, self.tokens)

    def __call__(self, texts, which, offsets=False):
        encoded = self.tokens(texts, offsets=offsets)
        parts = [(t, s, (e[0][s:s + WINDOW - 2], e[1][s:s + WINDOW - 2])) for t, e in enumerate(encoded) for s in windows(len(e[0]))]
        name = "embedding" if which == "embed" else which
        return gather(texts, encoded, parts, [self.inner.run(*p[2])[name] for p in parts], which, offsets)


def gather(texts, encoded, parts, got, which, offsets):
    if which != "tags":
        out = [[] for _ in texts]
        for (t, _, _), value in zip(parts, got):
            out[t].append(value)
        return [np.stack(o) for o in out]
    out = [np.zeros((len(e[0]), len(TAGS)), np.float32) for e in encoded]
    for (t, s, (ids, _)), value in zip(parts, got):
        # Where two windows overlap, each decides the half that lies farther from its edge.
        skip = 16 if s else 0
        out[t][s + skip:s + len(ids)] = value[1 + skip:1 + len(ids)]
    return (out, [e[2] for e in encoded]) if offsets else out


def soft(x, temperature=1.0):
    e = np.exp((x - x.max(-1, keepdims=True)) / temperature)
    return e / e.sum(-1, keepdims=True)


def calibration_error(p, right, bins=15):
    """Expected calibration error of the best label's probability."""
    place = np.minimum((p * bins).astype(int), bins - 1)
    return sum(abs(p[place == b].mean() - right[place == b].mean()) * (place == b).mean() for b in range(bins) if (place == b).any())


def auc(positive, negative):
    scores = np.concatenate([positive, negative])
    rank = scores.argsort().argsort() + 1
    return (rank[:len(positive)].sum() - len(positive) * (len(positive) + 1) / 2) / (len(positive) * len(negative))


def category_sets(held_out):
    """{name: [(text, label index)]}"""
    out = {}
    dev = read("category/dev")
    if held_out:
        dev = [r for r in dev + read("category/train") if r["source"] in tasks.HELD_OUT["category"]]
        for r in dev:
            out.setdefault(f"{r['source']}", []).append(r)
        out = {k: v[:1500] for k, v in out.items()}
    else:
        for r in dev:
            out.setdefault(f"dev {r['lang']} {r['kind']}", []).append(r)
            if r["source"] in ("mmlu-pro", "dolly-15k-labelled", "self-instruct-seed", "awesome-chatgpt-prompts-zh"):
                out.setdefault(f"dev {r['source']}", []).append(r)
    done = {k: [(r["text"], CATEGORIES.index(r["label"])) for r in v] for k, v in out.items()}
    for k, v in out.items():
        if any(r.get("options") for r in v):
            done[k + " + options"] = [("\n".join([r["text"], *map(str, r.get("options", []))]), CATEGORIES.index(r["label"])) for r in v]
    for text, label, lang, kind in tasks.authored_category():
        if tasks.kept_back(text):
            done.setdefault(f"authored {lang} {kind}", []).append((text, CATEGORIES.index(label)))
    return done


def guard_sets(held_out):
    """{name: [(text, label)]} with label 2 for attacks."""
    out = {}
    records = read("jailbreak/dev")
    if held_out:
        records = [r for r in records + read("jailbreak/train") if r["source"] in tasks.HELD_OUT["guard"]]
    for r in records:
        out.setdefault(f"{r['source'] if held_out else 'dev ' + r['kind']} {r['lang']} {r['label']}", []).append((r["text"], GUARD.index(r["label"])))
    for text, label, lang, kind in tasks.authored_guard():
        if tasks.kept_back(text):
            out.setdefault(f"authored {lang} {kind}", []).append((text, label))
    for r in read("category/dev")[::3]:
        out.setdefault(f"everyday {r['lang']} {r['kind']}", []).append((r["text"], 0))
    return {k: v[:1200] for k, v in out.items()}


def tag_sets(held_out):
    records = read("pii/dev")
    if held_out:
        records = [r for r in records + read("pii/train") if r["source"] in tasks.HELD_OUT["tags"]]
    out = {}
    for r in records:
        out.setdefault(f"{r['source']} {r['lang']}", []).append(
            (r["text"], [(s["start"], s["end"], s["label"]) for s in r["spans"]], r.get("annotated")))
    for text, spans, lang in tasks.authored_tags():
        if tasks.kept_back(text):
            out.setdefault(f"authored {lang}", []).append((text, spans, None))
    return {k: v[:700] for k, v in out.items()}


def decode(logits, offsets):
    """Spans of the best path of BIO labels."""
    score = logits - np.log(np.exp(logits - logits.max(-1, keepdims=True)).sum(-1, keepdims=True)) - logits.max(-1, keepdims=True)
    n, k = score.shape
    if n == 0:
        return []
    best, back = np.where(np.array([t.startswith("I-") for t in TAGS]), -1e9, score[0]), []
    inside = np.array([i for i, t in enumerate(TAGS) if t.startswith("I-")])
    for t in range(1, n):
        top = int(best.argmax())
        new, origin = np.full(k, best[top]) + score[t], np.full(k, top)
        for i in inside:
            origin[i] = i if best[i] >= best[i - 1] else i - 1
            new[i] = best[origin[i]] + score[t, i]
        back.append(origin)
        best = new
    path = [int(best.argmax())]
    for origin in reversed(back):
        path.append(int(origin[path[-1]]))
    path.reverse()
    spans, i = [], 0
    while i < n:
        if path[i] == 0:
            i += 1
            continue
        j = i + 1
        while j < n and TAGS[path[j]].startswith("I-"):
            j += 1
        spans.append((offsets[i][0], offsets[j - 1][1], TAGS[path[i]][2:]))
        i = j
    return spans


def pair_sets(held_out):
    out = {}
    records = read("similarity/pairs_dev")
    if held_out:
        records = [r for r in records + read("similarity/pairs_train") if r["source"] in tasks.HELD_OUT["pairs"]][:3000]
    for r in records:
        if r["source"] == "sts-b" and 0.55 < r.get("score", 0) < 0.8:
            continue
        out.setdefault(f"{r['source']} {r['lang']}", []).append((r["a"], r["b"], r["label"], r.get("how", "")))
    for a, b, label, how, lang in tasks.authored_pairs(True):
        out.setdefault(f"authored {lang}", []).append((a, b, label, how))
    return out


def measure(run, held_out, fitted):
    rows, pools = [], {}

    def row(name, n, metric, value):
        rows.append({"name": name, "n": n, "metric": metric, "value": round(float(value), 4)})

    t = fitted["temperature"]
    logits, labels, weights = [], [], []
    for name, items in category_sets(held_out).items():
        out = np.stack([x.mean(0) for x in run([i[0] for i in items], "category")])
        y = np.array([i[1] for i in items])
        p = soft(out, t["category"])
        row(f"category {name}", len(y), "accuracy", (p.argmax(1) == y).mean())
        row(f"category {name}", len(y), "ece", calibration_error(p.max(1), p.argmax(1) == y))
        logits.append(out)
        labels.append(y)
    pools["category"] = (np.concatenate(logits), np.concatenate(labels))
    attacks, calm = {}, {}
    for name, items in guard_sets(held_out).items():
        out = run([i[0] for i in items], "guard")
        p = np.array([soft(x + run.shift, t["guard"])[:, 2].max() for x in out])
        (attacks if items[0][1] == 2 else calm)[name] = p
    everyone = np.concatenate([p for n, p in calm.items() if "harmful" not in n])
    looks = np.concatenate([p for n, p in calm.items() if "lookalike" in n or "quoted" in n or "hard_benign" in n])
    for rate in (0.005, 0.01, 0.02):
        for other, pool in (("all benign", everyone), ("look-alikes", looks)):
            cut = np.quantile(pool, 1 - rate)
            for name, p in attacks.items():
                row(f"guard {name}", len(p), f"recall at {rate:.1%} false of {other}", (p > cut).mean())
    cut = fitted["thresholds"]["jailbreak"]
    for name, p in {**attacks, **calm}.items():
        row(f"guard {name}", len(p), "flagged at threshold", (p >= cut).mean())
    pools["guard"] = (attacks, calm, looks, everyone)
    for name, items in tag_sets(held_out).items():
        out, offsets = run([i[0] for i in items], "tags", offsets=True)
        good = said = real = 0
        for (text, spans, annotated), x, off in zip(items, out, offsets):
            wanted = SERVED & set(annotated) if annotated else SERVED
            truth = {s for s in spans if s[2] in wanted}
            found = {s for s in decode(x, off) if s[2] in wanted}
            good, said, real = good + len(truth & found), said + len(found), real + len(truth)
        precision, recall = good / max(said, 1), good / max(real, 1)
        row(f"tags {name}", real, "f1", 2 * precision * recall / max(precision + recall, 1e-9))
        row(f"tags {name}", real, "precision", precision)
        row(f"tags {name}", real, "recall", recall)
    pools["pairs"] = []
    for name, items in pair_sets(held_out).items():
        unit = lambda xs: np.stack([v.mean(0) / np.linalg.norm(v.mean(0)) for v in xs])  # noqa: E731
        near = (unit(run([i[0] for i in items], "embed")) * unit(run([i[1] for i in items], "embed"))).sum(1)
        y = np.array([i[2] for i in items])
        pools["pairs"].append((name, near, y))
        if 0 < y.sum() < len(y):
            row(f"pairs {name}", len(y), "auc", auc(near[y == 1], near[y == 0]))
            for how in sorted({i[3] for i in items if i[2] == 0}):
                part = np.array([i[3] == how for i in items]) & (y == 0)
                row(f"pairs {name} {how}", int(part.sum()), "auc", auc(near[y == 1], near[part]))
        for cut in (fitted["thresholds"]["similarity"],):
            if y.sum():
                row(f"pairs {name}", int(y.sum()), f"hits at {cut}", (near[y == 1] >= cut).mean())
            if (y == 0).any():
                row(f"pairs {name}", int((y == 0).sum()), f"false hits at {cut}", (near[y == 0] >= cut).mean())
    return rows, pools


def calibrate(pools, fitted):
    out, y = pools["category"]
    best = min(np.arange(0.5, 3.01, 0.05), key=lambda t: -np.log(soft(out, t)[np.arange(len(y)), y] + 1e-9).mean())
    fitted["temperature"]["category"] = round(float(best), 3)
    attacks, calm, looks, everyone = pools["guard"]
    # The score is moved so that 0.7, which is what configurations say, is where the figures of the card hold.
    cut = max(np.quantile(looks, 0.97), np.quantile(everyone, 0.995))
    odds = lambda p: np.log(p / (1 - p))  # noqa: E731
    fitted["guard_shift"] = round(float(fitted.get("guard_shift", 0) + odds(JAILBREAK) - odds(cut)), 3)
    fitted["thresholds"]["jailbreak"] = JAILBREAK
    return fitted


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--weights", type=Path, default=WORK / "trained.pt")
    args.add_argument("--int8", type=Path)
    args.add_argument("--held-out", action="store_true")
    args.add_argument("--calibrate", action="store_true")
    args.add_argument("--json", type=Path)
    args = args.parse_args()
    path = WORK / "calibration.json"
    fitted = json.loads(path.read_text()) if path.exists() else {
        "temperature": {"category": 1.0, "guard": 1.0},
        "thresholds": {"category": 0.5, "jailbreak": 0.5, "pii": 0.5, "similarity": 0.85}}
    run = Int8(args.int8) if args.int8 else Fp32(args.weights, fitted)
    rows, pools = measure(run, args.held_out, fitted)
    if args.calibrate:
        fitted = calibrate(pools, fitted)
        path.write_text(json.dumps(fitted, indent=2))
        print(fitted)
    for r in rows:
        print(f"{r['value']:8.3f}  {r['metric']:38s} {r['name']} ({r['n']})")
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
