"""NumPy files: the figures of Parquet in every dtype and order, streamed, and nothing unpickled."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.corpus import refused, score, xent
from tests.corpus.test_corpus_memory import cost
from tests.readers.test_arrow import figures, mutations

ROWS, WIDTH = 2000, 9


def scores(dtype: Any = "f4") -> Any:
    return np.random.default_rng(1).normal(size=(ROWS, WIDTH)).astype(dtype)


def labels() -> Any:
    return np.random.default_rng(2).integers(0, WIDTH, ROWS)


def right(folder: Path, z: Any, y: Any) -> str:
    """The figures of the same values in Parquet."""
    plain = np.ascontiguousarray(z, z.dtype.newbyteorder("="))
    lists = pa.FixedSizeListArray.from_arrays(pa.array(plain.reshape(-1)), z.shape[1])
    pq.write_table(pa.table({"logits": lists, "label": y}), folder / "right.parquet")
    return figures(folder / "right.parquet")


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("packed", [False, True])
def test_an_archive_gives_the_figures_of_parquet(
    dtype: str, order: Any, packed: bool, tmp_path: Path
) -> None:
    z, y = scores(dtype), labels()
    path = tmp_path / "preds.npz"
    (np.savez_compressed if packed else np.savez)(path, logits=np.array(z, order=order), labels=y)
    found = right(tmp_path, z, y)
    assert figures(path) == found
    assert figures(path, "--chunk-rows", 77, "--jobs", 3) == found


@pytest.mark.parametrize(
    "names", [("probs", "y_true"), ("y_pred", "y"), ("scores", "targets"), ("logits", "gt")]
)
def test_the_usual_names(names: tuple[str, str], tmp_path: Path) -> None:
    p = np.random.default_rng(1).dirichlet(np.ones(4), 500)
    y = np.arange(500) % 4
    arrays: dict[str, Any] = {names[0]: np.log(p) if names[0] == "logits" else p, names[1]: y}
    np.savez(tmp_path / "preds.npz", **arrays)
    found = score(tmp_path / "preds.npz", *(["--kind", "logits"] if names[0] == "logits" else []))
    assert found.code == 0, found.err
    assert abs(found.value() + np.log(p[np.arange(500), y]).mean()) < 1e-12


def test_one_column_and_labels_of_text(tmp_path: Path) -> None:
    p, y = np.array([[0.2], [0.9], [0.6]]), np.array(["no", "yes", "yes"])
    np.savez(tmp_path / "preds.npz", p=p, y=y)
    assert abs(score(tmp_path / "preds.npz").value() + np.log([0.8, 0.9, 0.6]).mean()) < 1e-15


@pytest.mark.parametrize("ending", ["npy", "npz"])
def test_fields_are_columns(ending: str, tmp_path: Path) -> None:
    fields = [("p", "<f4"), ("label", "?"), ("weight", ">f8"), ("when", "M8[s]")]
    rows = np.zeros(300, fields)
    rows["p"] = np.random.default_rng(1).random(300)
    rows["label"] = np.random.default_rng(2).random(300) < rows["p"]
    rows["weight"] = np.random.default_rng(3).random(300)
    path = tmp_path / f"preds.{ending}"
    np.save(path, rows) if ending == "npy" else np.savez(path, preds=rows)
    plain = {name: rows[name].astype(rows[name].dtype.newbyteorder("=")) for name in ("p", "label", "weight")}
    pq.write_table(pa.table(plain), tmp_path / "right.parquet")
    assert figures(path, "--weight", "weight") == figures(tmp_path / "right.parquet", "--weight", "weight")


def test_an_array_beside_a_file_of_labels(tmp_path: Path) -> None:
    z, y = scores(), labels()
    np.save(tmp_path / "logits.npy", z)
    np.save(tmp_path / "y.npy", y)
    found = right(tmp_path, z, y)
    refused(score(tmp_path / "logits.npy"), 3, "label")
    assert figures(tmp_path / "logits.npy", "--labels", tmp_path / "y.npy") == found


def test_pickled_objects_are_not_read(tmp_path: Path) -> None:
    np.save(tmp_path / "preds.npy", np.array([{"a": 1}], object))
    np.savez(tmp_path / "preds.npz", probs=np.ones((2, 2)), labels=np.array(["a", "b"], object))
    for name in ("preds.npy", "preds.npz"):
        refused(score(tmp_path / name), 3, "pickle", "never read", "astype(str)")


def test_arrays_of_other_lengths(tmp_path: Path) -> None:
    z, y = scores("f8"), labels()
    path = tmp_path / "preds.npz"
    np.savez(path, logits=z, labels=y, classes=np.arange(WIDTH), temperature=1.5)
    assert figures(path) == right(tmp_path, z, y)
    assert "left out: classes, temperature" in score(path).err
    np.savez(path, logits=z, labels=y[1:])
    refused(score(path), 3, '"labels" has 1,999 rows', "2,000")
    np.savez(path, train=z, y_train=y, test=z[:9], y_test=y[:9])
    refused(score(path), 3, "which arrays", "train (2,000 × 9)")


def test_headers_that_lie(tmp_path: Path) -> None:
    path = tmp_path / "preds.npy"
    np.save(path, scores())
    data = path.read_bytes()
    path.write_bytes(data.replace(b"(2000, 9)", b"(2**60,9)"))
    refused(score(path), 3, "header")
    path.write_bytes(data.replace(b"(2000, 9)", b"(9999, 9)"))
    refused(score(path), 3, "cut short")
    path.write_bytes(data[:-1])
    refused(score(path), 3, "cut short")
    path.write_bytes(data + data)
    refused(score(path), 3, "follow the array")


def test_damaged_files_are_refused_or_read_and_never_crash(tmp_path: Path) -> None:
    path = tmp_path / "preds.npz"
    np.savez_compressed(path, logits=scores()[:60], labels=labels()[:60])
    for bent in mutations(path.read_bytes(), 25):
        path.write_bytes(bent)
        assert xent("score", path, "--only", "nll", "--jobs", 1).code in (0, 3, 4)


def test_a_changed_byte_of_an_archive_is_found(tmp_path: Path) -> None:
    path = tmp_path / "preds.npz"
    np.savez(path, logits=scores(), labels=labels())
    data = bytearray(path.read_bytes())
    data[5000] ^= 1
    path.write_bytes(data)
    refused(score(path), 3, "CRC", '"logits"')


def test_a_zip_archive_of_something_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "preds.npz", "w") as archive:
        archive.writestr("preds.csv", "p,y\n0.5,1\n")
    refused(score(tmp_path / "preds.npz"), 3, "without arrays")


@pytest.mark.parametrize("how", ["npz", "packed"])
def test_a_large_array_takes_little_memory(how: str, tmp_path: Path) -> None:
    z = np.zeros((60_000, 1000), np.float32)
    z[:, 3] = 2.0
    path = tmp_path / "preds.npz"
    (np.savez_compressed if how == "packed" else np.savez)(path, logits=z, labels=np.full(60_000, 3))
    found = cost(tmp_path, path)
    path.unlink()
    assert found.outcome.code == 0, found.outcome.err
    assert abs(found.outcome.value() - (np.log(np.exp(2) + 999) - 2)) < 1e-6
    assert found.peak < 300
