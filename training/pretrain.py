"""Stage 1: masked-language modelling, so that the new words learn their neighbours. Writes work/pretrained.pt.

    python training/pretrain.py [--layers 6] [--tokens 3e6]
"""

import argparse

import numpy as np
import torch
import torch.nn.functional as F

from common import MASK, WORK, read, seed
from loop import DEVICE, Loop
from network import start
from tokens import Tokens, batches, pad


def corpus(rng, tokens):
    """Chinese first, with enough English that what is known stays known."""
    prompts = sorted({r["text"] for r in read("text/zh_prompts")})
    parts = [([r["text"][:400] for r in read("text/zh_abstracts")], 2000),
             ([r["text"] for r in read("category/train") + read("jailbreak/train") + read("pii/train") if r["lang"] == "zh"], 24000),
             (prompts, 130000),
             ([r["text"][:400] for r in read("text/en_short") + read("category/train") if r.get("lang", "en") == "en"], 12000),
             ([r["text"] for r in read("pii/train") if r["lang"] == "en"], 5000)]
    out = []
    for texts, n in parts:
        out += [texts[i] for i in rng.permutation(len(texts))[:n]]
    return tokens(out)


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--layers", type=int, default=6)
    args.add_argument("--tokens", type=float, default=3.2e6)
    args = args.parse_args()
    seed()
    rng = np.random.default_rng(1)
    tokens = Tokens()
    items = corpus(rng, tokens)
    order = [b for b in batches([len(i) for i, _ in items], 6144, rng, 96)]
    total, steps = 0, 0
    for b in order:
        total += sum(min(len(items[i][0]) + 2, 96) for i in b)
        steps += 1
        if total > args.tokens:
            break
    order = order[:steps]
    model = start(WORK / "start.pt", args.layers)
    encoder = model.encoder
    bias = torch.nn.Parameter(torch.zeros(tokens.size))
    model.register_parameter("mlm_bias", bias)
    body = [p for n, p in encoder.named_parameters() if not n.startswith("word")]
    loop = Loop("pretrain", model, [{"params": body, "lr": 1.5e-4}, {"params": [encoder.word.weight], "lr": 1e-3},
                                    {"params": [bias], "lr": 1e-3}], steps)
    model.train()
    while loop.step < steps:
        draw = np.random.default_rng(1000 + loop.step)
        ids, cases, keep = pad([items[i] for i in order[loop.step]], 96, draw)
        masked = torch.from_numpy(draw.random(ids.shape) < 0.15) & keep & (ids > MASK)
        if not masked.any():
            masked[0, 1] = True
        target = ids[masked]
        kind = torch.from_numpy(draw.random(ids.shape))
        shown = torch.where(masked & (kind < 0.8), MASK, ids)
        shown = torch.where(masked & (kind > 0.9), torch.from_numpy(draw.integers(5, tokens.size, ids.shape)), shown)
        with loop.autocast():
            hidden = encoder(shown.to(DEVICE), cases.to(DEVICE), keep.to(DEVICE))[masked.to(DEVICE)]
            # A sampled soft-max: the words of this batch and some others are the rivals; all 30 thousand would double the cost.
            rivals = torch.unique(torch.cat([target, torch.from_numpy(draw.integers(5, tokens.size, 4000))])).to(DEVICE)
            logits = hidden @ encoder.word.weight[rivals].T.to(hidden.dtype) + bias[rivals]
        loss = F.cross_entropy(logits.float(), torch.searchsorted(rivals, target.to(DEVICE)))
        loop.update(loss, int(keep.sum()), mlm=loss)
    del model.mlm_bias
    loop.done(WORK / "pretrained.pt")


if __name__ == "__main__":
    main()
