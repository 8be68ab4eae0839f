"""At a terminal no line of any screen is wider than it, but for what is typed or compared as one word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.corpus import xent
from xentcli.cli import output
from xentcli.renderers.strip import wide

CLASSES = ["cat", "a class with a name that is rather long", "犬"]
SCREENS = {
    "binary": [["score"], ["score", "-v"], ["calibrate", "fit"]],
    "multiclass": [["score", "-v", "--top", "3"], ["score", "--by", "lang,user"], ["inspect"]],
    "grouped": [["score", "--group", "user", "--by", "lang", "-v"], ["calibrate", "fit", "--group", "user"]],
    "soft": [["score", "-v", "--top", "3"], ["inspect", "-v"]],
    "multilabel": [["score", "-v", "--by", "lang", "--task", "multilabel"]],
    "topk": [["score", "--pred", "p", "--pred-ids", "ids", "--classes", "9", "-v"]],
}


def written(folder: Path, task: str) -> Path:
    """Rows of a task with all that may stand beside: long names, wide ones, an impossible label."""
    rng, n = np.random.default_rng(8), 60
    p, other = rng.dirichlet(np.ones(3), (2, n))
    y = rng.integers(0, 3, n)
    p[y == 0] += [0.5, 0.0, 0.0]
    p[0] = np.eye(3)[(y[0] + 1) % 3]
    p /= p.sum(axis=1, keepdims=True)
    columns = {
        "lang": [("de", "a language of a long name")[k % 2] for k in range(n)],
        "user": np.arange(n) // 5,
    }
    if task == "binary":
        columns |= {"score": np.round(p[:, 0], 3), "label": (y == 0).astype(int)}
    elif task == "topk":
        columns |= {
            "p": np.sort(p)[:, :0:-1].tolist(),
            "ids": [[k % 9, (k + 4) % 9] for k in range(n)],
            "label": y,
        }
    else:
        columns |= {f"p_{name}": p[:, j] for j, name in enumerate(CLASSES)}
        labels = {"soft": other, "multilabel": (other > 0.3).astype(int)}.get(task)
        if labels is None:
            columns["label"] = [CLASSES[k] for k in y]
        else:
            columns |= {f"label_{name}": labels[:, j] for j, name in enumerate(CLASSES)}
    pq.write_table(pa.table(columns), folder / f"{task}.parquet")
    return folder / f"{task}.parquet"


@pytest.mark.parametrize(("cells", "ascii_only"), [(60, True), (80, False)])
@pytest.mark.parametrize("task", SCREENS)
def test_no_line_is_wider_than_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str, cells: int, ascii_only: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(output, "room", lambda: cells)
    monkeypatch.setattr(output, "can_encode", lambda stream, text="": not ascii_only)
    path = written(tmp_path, task)
    for command, *words in SCREENS[task]:
        more = [words.pop(0)] if command == "calibrate" else []
        found = xent(command, *more, path.name, *words)
        assert found.code == 0 and found.out, found.err
        assert found.out.isascii() or not ascii_only
        for line in found.out.splitlines():
            one_word = line.strip().startswith(("ce:nats|", "xent "))
            assert wide(line) <= cells or one_word, (command, words, line)
