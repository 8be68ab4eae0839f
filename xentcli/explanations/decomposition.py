"""The metrics that split the cross-entropy by temperature scaling; sums as in `metrics`."""

from __future__ import annotations

from xentcli.explanations.entry import Measure

_NONE = (
    "a label has p = 0, there are fewer than 20 rows, or the loss still falls at T = 1/16 or 16, as it does "
    "where every prediction is right"
)
_NO_LOSS = f"{_NONE}; or no rows are left to fit one on, all being of one --group"
_SOURCE = "Ferrer & Ramos (2024), arXiv 2408.02841; temperature scaling: Guo et al. (2017), arXiv 1706.04599"

DECOMPOSITION = (
    Measure(
        "calibration_loss", "L - (1/W) Σ w_i · -ln softmax(z_i / T_k)_y, z the logits (ln p of "
        "probabilities), T_k the best temperature of the four fifths of the rows that i is not in; a "
        "row's fifth follows from the hash of what it holds, or of its --group",
        "below 0 by chance, to infinity", _NO_LOSS,
        "What dividing the logits by one number would gain on new rows. It tends to be a little low, and "
        "`upper`, with T fitted on the rows themselves, a little high. By default from at most 100,000 rows "
        "that differ, those of the least hashes, and a million scores (data.recalibration tells); asked "
        "for by name, from all rows: where those are too many to keep, from the loss and two derivatives "
        "at 17 temperatures, which is within 1e-6 nats; with over a million different scores of a binary "
        "task, from the middles of their cells.",
        _SOURCE,
    ),
    Measure(
        "refinement_loss", "cross-entropy - calibration_loss", "0 to infinity", _NO_LOSS,
        "What the predictions leave open however their temperature is set: the part that a better model "
        "takes, not a better calibration. Where a sample was taken, its calibration loss is taken off the "
        "cross-entropy of all rows.",
        _SOURCE,
    ),
    Measure(
        "temperature", "argmin over 1/16 <= T <= 16 of Σ w_i · -ln softmax(z_i / T)_y, of all rows used",
        "1/16 to 16", _NONE,
        "Above 1 the predictions are too sure of themselves, below 1 not sure enough. Rows: as for "
        "calibration_loss; from the 17 temperatures it is within 2e-5 of itself, from cells of scores within "
        "the `bound` that comes with it.",
        "Guo et al. (2017), arXiv 1706.04599",
    ),
)  # fmt: skip
