"""What other libraries call their losses, and the convention of each. No NumPy here.

A figure is named after the function it reproduces, `sklearn.log_loss`, and reported with `--compat`.
"""

from __future__ import annotations

from xentcli.records import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A function of a peer: its unit, better direction, and the convention that sets it apart.

    In a convention `{eps}` stands for what the peer clips with, `{bins}` for the number of its bins.
    """

    key: str
    unit: str
    better: str
    convention: str


@dataclass(frozen=True, slots=True)
class Peer:
    """A library, the version its figures are checked against, its functions and its default bins."""

    name: str
    version: str
    figures: tuple[Figure, ...]
    bins: int = 0

    def convention(self, key: str, eps: float, bins: int) -> str:
        """The convention of one of its functions, with the numbers of this run."""
        text = next(figure.convention for figure in self.figures if figure.key == key)
        return text.format(eps=f"{eps:.3g}", bins=bins)


_ROWS = "weights multiply, divided by the rows"
_TM = "[a, b) in {bins} bins and one more for p = 1"
_NC = "[a, b) in {bins} bins, p clipped to [{eps}, 1 - {eps}]"

PEERS = {
    "sklearn": Peer("scikit-learn", "1.9.1", (
        Figure("log_loss", "nat", "lower", "p clipped to [{eps}, 1 - {eps}]"),
        Figure("brier_score_loss", "", "lower", "no other than brier_score"),
        Figure("d2_log_loss_score", "fraction", "higher", "1 - log_loss over that of the label frequencies"),
        Figure("d2_brier_score", "fraction", "higher", "no other than brier_skill_score"),
    )),
    "torch": Peer("torch", "2.13", (
        Figure("cross_entropy", "nat", "lower", "no clipping; class weights divide by those of the labels"),
        Figure("nll_loss", "nat", "lower", "of ln p as given; class weights divide by those of the labels"),
        Figure("binary_cross_entropy", "nat", "lower", f"ln p no less than -100; {_ROWS}"),
        Figure("binary_cross_entropy_with_logits", "nat", "lower", f"no clipping; {_ROWS}"),
    )),
    "keras": Peer("Keras", "3.15", (
        Figure("categorical_crossentropy", "nat", "lower",
               f"p over its row sum, clipped to [{{eps}}, 1 - {{eps}}]; from logits not; {_ROWS}"),
        Figure("binary_crossentropy", "nat", "lower",
               f"p clipped to [{{eps}}, 1 - {{eps}}]; from logits not; {_ROWS}"),
    )),
    "torchmetrics": Peer("torchmetrics", "1.9", tuple(
        Figure(f"{task}_calibration_error{norm}", "fraction", "lower", f"{pair} {_TM}{said}")
        for task, pair in (("binary", "p(positive)"), ("multiclass", "float32 confidence"))
        for norm, said in (("", ""), ("_l2", ', norm="l2"'), ("_max", ', norm="max"'))
    ), 15),
    "netcal": Peer("netcal", "1.4.0", (
        Figure("ece", "fraction", "lower", _NC),
        Figure("ace", "fraction", "lower", f"{_NC}; mean gap of the bins in use"),
        Figure("mce", "fraction", "lower", f"{_NC}; largest gap"),
    ), 10),
    "relplot": Peer("relplot", "1.0.3", (
        Figure("smece", "fraction", "lower", "a mesh of 200 points or 10 / width; the width by 10 halvings"),
    )),
}  # fmt: skip


def available(compat: str, task: str, kind: str, width: int, per_row: bool) -> list[str]:
    """Which functions of a peer take such scores, as metric names."""
    names = [figure.key for figure in PEERS[compat].figures]
    logits = kind == "logits"
    if compat == "torch" and (width == 1 or (per_row and logits)):
        names = ["binary_cross_entropy_with_logits" if logits else "binary_cross_entropy"]
    elif compat == "torch":
        names = ["cross_entropy" if logits else "nll_loss"]
    elif compat == "keras":
        names = ["binary_crossentropy" if width == 1 else "categorical_crossentropy"]
    elif compat == "torchmetrics":
        names = [name for name in names if name.startswith(task)]
    return [f"{compat}.{name}" for name in names]
