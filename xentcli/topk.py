"""Options that do not go with rows that list their likeliest classes alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xentcli.errors import UsageError

if TYPE_CHECKING:
    from xentcli.settings import Settings


def check(settings: Settings) -> None:
    """Refuse what needs the scores of every class, or says twice what lists say; UsageError."""
    ask = settings.ask
    if ask.pred_ids is None:
        if ask.pred_rest is not None:
            raise UsageError("--pred-rest goes with --pred-ids", id="pred_ids",
                             remedy="--pred SCORES --pred-ids IDS names the lists")  # fmt: skip
        return
    refused = {
        "--task": ask.task != "auto", "--positive": ask.positive is not None,
        "--class-column": ask.class_column is not None, "--missing-class": ask.missing_class != "error",
        "--kind votes": ask.kind == "votes",
        "--renormalize": settings.renormalize, "--clip": settings.clip is not None,
        "--threshold": settings.threshold != 0.5, "--prior": settings.prior is not None,
        "--label-smoothing": settings.label_smoothing is not None,
        "--class-weights": settings.class_weights is not None,
        "--pos-weight": settings.pos_weight is not None,
        "--compat": settings.compat is not None,
        "--dtype": settings.reading.dtype is not None,
    }  # fmt: skip
    for option, given in refused.items():
        if given:
            raise UsageError(f"{option} does not go with --pred-ids: the lists do not say enough for it",
                             remedy=f"leave {option} out", id="pred_ids")  # fmt: skip
