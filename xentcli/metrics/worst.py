"""The rows with the highest losses, as a report tells them."""

from __future__ import annotations

from typing import Any

from xentcli.errors import clean
from xentcli.metrics.known import Known
from xentcli.report import WorstRow


def rows(known: Known) -> list[WorstRow]:
    """The rows of `--top`, the worst first."""
    if not known.states.has("worst"):
        return []
    state = known.states.worst
    state.settle()
    columns = {name: column.tolist() for name, column in state.columns.items()}
    listed = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    out = []
    for one, id, spot in zip(listed, state.texts, state.places, strict=True):
        file, row = ("", None) if spot is None else (clean(spot.file, 200), spot.row)
        out.append(WorstRow(file, row, id, **_told(known, one)))
    return out


def _told(known: Known, one: dict[str, Any]) -> dict[str, Any]:
    """The fields of a WorstRow from the columns of the state."""
    names = known.spec.classes
    p, other = (None if value != value else value for value in (one["p_label"], one["p_predicted"]))
    out = {"label": names[one["label"]], "p_label": p, "p_predicted": other, "loss": 0.0 - one["key"]}
    out["weight"] = one["weight"] if known.spec.weighted else None
    if known.multilabel:
        return out | {"p_predicted": None, "target": other, "wrong": one["wrong"],
                      "predicted": bool(one["predicted"])}  # fmt: skip
    return out | {"predicted": names[one["predicted"]]}
