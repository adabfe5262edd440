"""Stage 3: the four heads together. Writes work/trained.pt (or work/<name>.pt).

    python training/train.py [--layers 6] [--tokens 2e7] [--held-out] [--name trained] [--start work/distilled.pt]

`--held-out` leaves whole sources out (see HELD_OUT in tasks.py): that model is only measured, never shipped.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import tasks
from common import TAGS, WORK, seed
from compose import Composer, Swap, stretch
from loop import DEVICE, Loop
from nearmiss import NearMiss
from network import Router, thinned
from tokens import Tokens, batches, pad, width_for

SHARES = {"category": 0.34, "guard": 0.20, "tags": 0.22, "embed": 0.24}
BUDGET = 3072
TAG_INDEX = {t: i for i, t in enumerate(TAGS)}


def tag_ids(spans, offsets, annotated):
    """(tokens,) label of each token; -100 where nothing was annotated and the token lies in no span."""
    out = np.zeros(len(offsets), np.int64)
    for start, end, label in spans:
        first = True
        for i, (a, b) in enumerate(offsets):
            if a < end and b > start:
                out[i] = TAG_INDEX[("B-" if first else "I-") + label]
                first = False
    return out


class Category:
    def __init__(self, tokens, held_out):
        self.records = tasks.category(held_out)
        texts = [r[0] for r in self.records]
        self.items = tokens(texts)
        self.choices = tokens([r[0] + "\n" + "\n".join(map(str, r[1])) if r[1] else "" for r in self.records])
        self.labels = np.array([r[2] for r in self.records])

    def round(self, rng):
        index = stretch(len(self.records), [r[3] for r in self.records], rng)
        with_options = rng.random(len(index)) < 0.35
        items = [self.choices[i] if w and self.records[i][1] else self.items[i] for i, w in zip(index, with_options)]
        for b in batches([len(x) for x, _ in items], BUDGET, rng):
            yield [items[i] for i in b], torch.from_numpy(self.labels[index[b]])

    def loss(self, model, batch, target, _):
        return F.cross_entropy(model(batch, "category"), target, label_smoothing=0.05)


class Guard:
    def __init__(self, tokens, held_out):
        self.records, self.tokens, self.composer = tasks.guard(held_out), tokens, Composer()

    def round(self, rng):
        index = stretch(len(self.records), [r[2] for r in self.records], rng)
        items = self.tokens([self.composer(self.records[i][0], self.records[i][1], rng) for i in index])
        labels = np.array([self.records[i][1] for i in index])
        for b in batches([len(x) for x, _ in items], BUDGET, rng):
            yield [items[i] for i in b], torch.from_numpy(labels[b])

    def loss(self, model, batch, target, _):
        return F.cross_entropy(model(batch, "guard"), target, label_smoothing=0.03)


class Tags:
    def __init__(self, tokens, held_out):
        records = tasks.tags(held_out)
        self.records, self.tokens, self.swap = records, tokens, Swap(records)
        encoded = tokens([r[0] for r in records], offsets=True)
        self.weights = [r[3] for r in records]
        self.items = [(ids, cases) for ids, cases, _ in encoded]
        self.targets = [tag_ids(r[1], e[2], r[2]) for r, e in zip(records, encoded)]
        # Where only some labels were annotated, the others may neither be rewarded nor punished on tokens outside the spans.
        self.allowed = []
        for r in records:
            mask = np.ones(len(TAGS), bool)
            if r[2]:
                mask[:] = [t == "O" or t[2:] in r[2] for t in TAGS]
            self.allowed.append(mask)

    def round(self, rng):
        index = stretch(len(self.items), self.weights, rng)
        found = [(self.items[i], self.targets[i]) for i in index]
        other = [j for j, i in enumerate(index) if self.swap.can(self.records[i]) and rng.random() < 0.4]
        swapped = [self.swap(self.records[index[j]], rng) for j in other]
        for j, (_, spans), (ids, cases, offsets) in zip(other, swapped, self.tokens([t for t, _ in swapped], offsets=True)):
            found[j] = ((ids, cases), tag_ids(spans, offsets, None))
        for b in batches([len(items[0]) for items, _ in found], BUDGET, rng):
            chosen = index[b]
            items = []
            for j in b:
                ids, cases = found[j][0]
                r = rng.random()
                if r < 0.13:
                    cases = np.zeros_like(cases)
                elif r < 0.16:
                    cases = np.where(cases > 0, 2, cases)
                items.append((ids, cases))
            width = width_for(max(min(len(i), 126) for i, _ in items) + 2)
            target = np.full((len(chosen), width), -100, np.int64)
            for row, j in enumerate(b):
                part = found[j][1][:126]
                target[row, 1:len(part) + 1] = part
            # pad() cuts long ones at a random place; here the beginning is kept, as the targets are.
            yield ([(i[:126], c[:126]) for i, c in items], torch.from_numpy(target),
                   torch.from_numpy(np.stack([self.allowed[i] for i in chosen])))

    def loss(self, model, batch, target, extra):
        logits = model(batch, "tags")
        # Leaving the labels that were not annotated out of the soft-max says nothing about them.
        logits = logits.masked_fill(~extra[:, None, :], -30.0)
        return F.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=-100)


class Embed:
    def __init__(self, tokens, held_out):
        self.records = tasks.pairs(held_out)
        self.tokens, self.near = tokens, NearMiss()
        known = torch.load(WORK / "targets.pt", weights_only=False)
        self.geometry = [(tokens(known[x][0]), known[x][1]) for x in ("zh", "en")]

    def round(self, rng):
        index = stretch(len(self.records), [r[3] for r in self.records], rng)
        records = [self.records[i] for i in index] + self.near.round(len(index) // 4, rng)
        first, second = self.tokens([r[0] for r in records]), self.tokens([r[1] for r in records])
        lengths = [max(len(a[0]), len(b[0])) for a, b in zip(first, second)]
        for b in batches(lengths, BUDGET // 2, rng):
            yield [first[i] for i in b] + [second[i] for i in b], torch.tensor([records[i][2] for i in b])
            if rng.random() < 0.3:
                items, goal = self.geometry[rng.integers(2)]
                begin = int(rng.integers(0, len(items) - 64))
                part = list(range(begin, begin + 64))
                yield [items[i] for i in part], goal[begin:begin + 64].float()

    def loss(self, model, batch, target, _):
        v = F.normalize(model(batch, "embed"), dim=-1)
        if target.dim() == 2:
            return 4 * ((v @ v.T) - (target @ target.T)).pow(2).mean()
        a, b = v[:len(v) // 2], v[len(v) // 2:]
        near = (a * b).sum(-1)
        # Every pair that matches shall lie above every pair that does not (CoSENT), and above the other texts of the batch.
        gap = (near[target == 0][:, None] - near[target == 1][None, :]) * 20
        rank = torch.log1p(gap.exp().sum().clamp(max=1e12))
        logits = (a @ b.T) * 20
        logits = logits.masked_fill((target == 0)[:, None] & torch.eye(len(a), dtype=torch.bool, device=a.device), -30)
        spread = F.cross_entropy(logits, torch.arange(len(a), device=a.device), reduction="none")[target == 1]
        return 0.6 * rank + 0.6 * (spread.mean() if len(spread) else 0)


def schedule(parts, total, shares, rng):
    """[(name, batch ...)] in random order by share of tokens; `total` tokens in all."""
    plan = []
    for name, part in parts.items():
        spent = 0
        while spent < total * shares[name]:
            for batch in part.round(rng):
                plan.append((name, batch))
                spent += sum(min(len(i) + 2, 128) for i, _ in batch[0])
                if spent >= total * shares[name]:
                    break
    order = rng.permutation(len(plan))
    return [plan[i] for i in order]


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--layers", type=int, default=6)
    args.add_argument("--tokens", type=float, default=2e7)
    args.add_argument("--held-out", action="store_true")
    args.add_argument("--name", default="trained")
    args.add_argument("--start", type=Path, default=WORK / "distilled.pt")
    args.add_argument("--rate", type=float, default=1.5e-4)
    args.add_argument("--shares", type=json.loads, default=SHARES, help="of the tokens, by head, as JSON")
    args = args.parse_args()
    seed()
    rng = np.random.default_rng(5)
    tokens = Tokens()
    parts = {"category": Category(tokens, args.held_out), "guard": Guard(tokens, args.held_out),
             "tags": Tags(tokens, args.held_out), "embed": Embed(tokens, args.held_out)}
    plan = schedule(parts, args.tokens, args.shares, rng)
    model = Router(tokens.size, args.layers)
    model.load_state_dict(thinned(torch.load(args.start), args.layers), strict=False)
    body, heads, words = [], [], [model.encoder.word.weight]
    for name, p in model.named_parameters():
        if not name.startswith("encoder.word"):
            (body if name.startswith("encoder") else heads).append(p)
    loop = Loop(args.name, model, [{"params": body, "lr": args.rate}, {"params": words, "lr": 2 * args.rate},
                                   {"params": heads, "lr": 1e-3}], len(plan))
    model.train()
    while loop.step < len(plan):
        name, (items, target, *extra) = plan[loop.step]
        draw = np.random.default_rng(7000 + loop.step)
        if name in ("category", "guard") and draw.random() < 0.15:
            items = [(i, np.zeros_like(c)) for i, c in items]
        batch = [x.to(DEVICE) for x in pad(items, 128, draw if name in ("category", "guard") else None)]
        with loop.autocast():
            loss = parts[name].loss(model, batch, target.to(DEVICE), extra[0].to(DEVICE) if extra else None)
        loop.update(loss, int(batch[2].sum()), **{name: loss})
        plan[loop.step - 1] = None
    loop.done(WORK / f"{args.name}.pt")


if __name__ == "__main__":
    main()
