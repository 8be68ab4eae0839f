"""Make the sample prediction files in this folder again.

Every file holds predictions for rows that the model did not see when it was
trained: each row is predicted by the one of five cross-validation models that
left it out. The data come with scikit-learn, so nothing is downloaded, and all
seeds are fixed, so the same environment writes the same bytes.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import BernoulliNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

DIGIT_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
PIXEL_MAX = 16.0


def held_out(model: Any, features: FloatArray, target: IntArray, method: str) -> FloatArray:
    """Predictions for each row by a model that was trained without it."""
    folds = StratifiedKFold(n_splits=5, shuffle=True, random_state=0)
    scores = cross_val_predict(model, features, target, cv=folds, method=method)
    return np.asarray(scores, dtype=np.float64)


def digits() -> tuple[FloatArray, IntArray]:
    """The 1,797 digit images, pixels scaled to 0 .. 1, and the digit shown."""
    features, target = load_digits(return_X_y=True)
    return np.asarray(features) / PIXEL_MAX, np.asarray(target, dtype=np.int64)


def cancer() -> tuple[FloatArray, IntArray]:
    """The 569 tumours, with 1 for malignant (scikit-learn has it the other way round)."""
    features, target = load_breast_cancer(return_X_y=True)
    return np.asarray(features), 1 - np.asarray(target, dtype=np.int64)


def write(folder: Path, name: str, columns: dict[str, pa.Array]) -> None:
    """Write one Parquet file, with checksums so that damage to it is noticed."""
    pq.write_table(pa.table(columns), folder / name, compression="zstd", write_page_checksum=True)


def class_columns(prefix: str, names: tuple[str, ...], scores: FloatArray) -> dict[str, pa.Array]:
    """One float32 column per class."""
    return {
        f"{prefix}_{name}": pa.array(np.ascontiguousarray(scores[:, k], dtype=np.float32))
        for k, name in enumerate(names)
    }


def make_digits(folder: Path) -> None:
    """Three models of the digits, the same rows in the same order."""
    features, target = digits()

    # C=30 is where this model's confidence comes closest to its accuracy.
    good = LogisticRegression(C=30.0, max_iter=2_000)
    p = held_out(good, features, target, "predict_proba")
    index = tuple(str(k) for k in range(10))
    columns = {"id": pa.array(np.arange(len(target), dtype=np.int64))}
    columns |= class_columns("p", index, p) | {"label": pa.array(target)}
    write(folder, "digits_good.parquet", columns)

    # Naive Bayes counts neighbouring pixels as independent evidence, so it is
    # far too sure of itself: the textbook over-confident model.
    naive = BernoulliNB(binarize=0.5)
    p = held_out(naive, features, target, "predict_proba")
    labels = pa.array([DIGIT_NAMES[k] for k in target])
    columns = class_columns("p", DIGIT_NAMES, p) | {"label": labels}
    write(folder, "digits_overconfident.parquet", columns)

    # Next to no regularisation: the logits grow large, and a temperature above
    # one mends much of the loss.
    sharp = LogisticRegression(C=1_000.0, max_iter=5_000)
    logits = held_out(sharp, features, target, "decision_function").astype(np.float32)
    lists = pa.FixedSizeListArray.from_arrays(pa.array(logits.reshape(-1)), logits.shape[1])
    write(folder, "digits_logits.parquet", {"logits": lists, "label": pa.array(target)})


def make_cancer(folder: Path) -> None:
    """Two models of the tumours, the same rows in the same order."""
    features, target = cancer()

    linear = make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=1_000))
    p = held_out(linear, features, target, "predict_proba")[:, 1]
    with (folder / "cancer.csv").open("w", encoding="utf-8", newline="\n") as out:
        out.write("p_malignant,label\n")
        for value, label in zip(p, target, strict=True):
            out.write(f"{value:.6f},{'malignant' if label else 'benign'}\n")

    trees = GradientBoostingClassifier(random_state=0)
    q = held_out(trees, features, target, "predict_proba")[:, 1]
    columns = {"score": pa.array(q), "label": pa.array(target.astype(bool))}
    write(folder, "cancer.parquet", columns)
    with (folder / "two_models.csv").open("w", encoding="utf-8", newline="\n") as out:
        out.write("linear,trees,label\n")
        for first, second, label in zip(p, q, target, strict=True):
            out.write(f"{first:.6f},{second:.6f},{'malignant' if label else 'benign'}\n")


def main() -> None:
    """Write all files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    here = Path(__file__).resolve().parent
    parser.add_argument("--dir", type=Path, default=here, help="folder to write the files to")
    folder: Path = parser.parse_args().dir
    folder.mkdir(parents=True, exist_ok=True)
    make_digits(folder)
    make_cancer(folder)


if __name__ == "__main__":
    main()
