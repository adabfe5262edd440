"""What TF-IDF with logistic regression makes of the same texts: the floor that the encoder's figures stand on.

    python training/floor.py [--held-out]
"""

import argparse

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

import tasks
from evaluate import category_sets, guard_sets


def fitted(records):
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), sublinear_tf=True, min_df=3, max_features=200_000)
    model = make_pipeline(make_union(words, letters), LogisticRegression(C=8, max_iter=60, solver="lbfgs"))
    return model.fit([r[0] for r in records], [r[1] for r in records])


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--held-out", action="store_true")
    held_out = args.parse_args().held_out
    model = fitted([(r[0], r[2]) for r in tasks.category(held_out)])
    for name, items in category_sets(held_out).items():
        right = np.mean(model.predict([i[0] for i in items]) == np.array([i[1] for i in items]))
        print(f"{right:8.3f}  accuracy                               category {name} ({len(items)})", flush=True)
    model = fitted([(r[0], r[1]) for r in tasks.guard(held_out)])
    score = {name: (items[0][1], model.predict_proba([i[0] for i in items])[:, 2]) for name, items in guard_sets(held_out).items()}
    looks = np.concatenate([p for n, (_, p) in score.items() if "lookalike" in n or "quoted" in n or "hard_benign" in n])
    cut = np.quantile(looks, 0.98)
    for name, (label, p) in score.items():
        what = "recall" if label == 2 else "flagged"
        print(f"{np.mean(p > cut):8.3f}  {what + ' at 2.0% false of look-alikes':38s} guard {name} ({len(p)})", flush=True)


if __name__ == "__main__":
    main()
