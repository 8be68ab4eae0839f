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
    unlisted = "takes p of every class, and a list leaves classes out"
    refused = {
        "--task": (ask.task != "auto", "is for scores of every class; lists are a task by themselves"),
        "--positive": (ask.positive is not None, "is for one score a row"),
        "--class-column": (ask.class_column is not None, "is for a row for each class"),
        "--missing-class": (ask.missing_class != "error", "is for a row for each class"),
        "--kind votes": (ask.kind == "votes", "is for counts of every class"),
        "--renormalize": (settings.renormalize, "would take away what a list leaves to the other classes"),
        "--clip": (settings.clip is not None, "is for a p of 0, and a label that is not listed has none"),
        "--threshold": (settings.threshold != 0.5, "is for binary and multilabel tasks"),
        "--prior": (settings.prior is not None, "compares with a loss that lists only bound"),
        "--label-smoothing": (settings.label_smoothing is not None, unlisted),
        "--class-weights": (settings.class_weights is not None, "takes the loss of every row, and that of a "
                            "row that does not list its label is not known"),
        "--pos-weight": (settings.pos_weight is not None, "is for binary and multilabel tasks"),
        "--compat": (settings.compat is not None, unlisted),
        "--dtype": (settings.reading.dtype is not None, "is for bits that hold a score of every class"),
    }  # fmt: skip
    for option, (given, why) in refused.items():
        if given:
            raise UsageError(f"{option} does not go with --pred-ids: it {why}", id="pred_ids",
                             remedy=f"leave {option} out")  # fmt: skip
