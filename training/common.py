"""Paths, labels and sizes that all stages share."""

import gzip
import json
import os
import random
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("DATA", HERE.parent.parent / "shared" / "data"))
WORK = Path(os.environ.get("WORK", HERE / "work"))
AUTHORED = HERE / "authored"
MODELS = HERE.parent / "models"

SEED = 20261121
HIDDEN, HEADS, INNER = 384, 12, 1536
DIMS = 256
"""Length of the sentence vector."""
WINDOW = 128
"""Tokens of one pass, [CLS] and [SEP] included."""

CATEGORIES = ["biology", "business", "chemistry", "computer science", "economics", "engineering", "health",
              "history", "law", "math", "other", "philosophy", "physics", "psychology"]
GUARD = ["benign", "harmful", "jailbreak"]
ENTITIES = ["PERSON", "ORGANIZATION", "GPE", "STREET_ADDRESS", "DATE_TIME", "AGE", "NRP", "TITLE", "ZIP_CODE",
            "EMAIL_ADDRESS", "PHONE_NUMBER", "US_SSN", "CREDIT_CARD", "IP_ADDRESS", "IBAN_CODE", "DOMAIN_NAME",
            "US_DRIVER_LICENSE", "CN_RESIDENT_ID"]
"""The token head knows all of them, so that it can tell them apart; the program takes the first nine from it."""
TAGS = ["O"] + [f"{part}-{name}" for name in ENTITIES for part in "BI"]

PAD, UNK, CLS, SEP, MASK = range(5)


def read(name):
    """Records of one file of the collection, `category/train` for instance."""
    with gzip.open(DATA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def lines(path):
    r"""Lines of an authored text file; `\n` in them is a line break."""
    if not path.exists():
        return []
    return [line.replace("\\n", "\n").replace("\\t", "\t")
            for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


def seed(extra=0):
    import torch
    random.seed(SEED + extra)
    np.random.seed(SEED + extra)
    torch.manual_seed(SEED + extra)
