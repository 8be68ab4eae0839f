"""The table: what it says, and what it says only when asked."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest

from xentcli.renderers import table
from xentcli.report import ClassRow, Confusion, Reliability, Report, SliceRow, Value, Warning


def share(value: float | None) -> Value:
    return Value(value, "fraction", "higher", 10000)


def class_row(name: str, loss: float, other: str | None = "cat") -> ClassRow:
    keys = ("share", "precision", "recall", "f1", "ece")
    figures = {key: share(0.1 * i) for i, key in enumerate(keys, 1)}
    return ClassRow(name, 1000.0, other, {"cross_entropy": Value(loss, "nat"), **figures})


def report() -> Report:
    """Ten classes of images, scored by a network that is too sure of itself."""
    names = ["dog", "cat", "bird", "airplane", "horse", "deer", "ship", "truck", "car", "frog"]
    metrics = {
        "cross_entropy": Value(0.37817, "nat", "lower", 10000, 0.01463, 0.34950, 0.40684),
        "perplexity": Value(1.45961, "", "lower", 10000, 0.02135, 1.41836, 1.50207),
        "normalized_cross_entropy": share(0.164237),
        "label_entropy": Value(2.302585, "nat", "", 10000),
        "predictive_entropy": Value(0.095168, "nat", "", 10000, 0.00238, 0.09051, 0.09983),
        "overconfidence": Value(0.283, "nat", "", 10000, 0.0126, 0.2583, 0.3077),
        "brier_score": Value(0.143871, "", "lower", 10000, 0.00454, 0.13497, 0.15277),
        "brier_skill_score": share(0.840143),
        "accuracy": Value(0.9109, "fraction", "higher", 10000, None, 0.90515, 0.91633),
        "top5_accuracy": Value(0.9967, "fraction", "higher", 10000, None, 0.99538, 0.99765),
        "mcc": Value(None, "", "higher", 10000, why="all labels are of one class"),
        "ece": share(0.0537163),
        "ece_chance": share(0.0038978),
        "zero_probability_rows": Value(0.0, "row", "lower", 10000),
    }
    said: list[dict[str, float | int | None]] = [
        {"lo": b / 15, "hi": (b + 1) / 15, "n": n, "mean_p": p, "mean_y": y, "gap_chance": 0.01}
        for b, n, p, y in [(b, 0, None, None) for b in range(13)]
        + [(13, 210, 0.84, 0.58), (14, 9790, 0.99, 0.95)]
    ]
    return Report(
        "ce:nats|prior:labels", {},
        {"inputs": ["runs/cifar10_wideresnet.parquet"], "rows": 10000, "scored": 10000,
         "ignored": 0, "skipped": {}, "weight": 10000.0, "task": "multiclass", "kind": "probs",
         "pred": "p_*", "label": "label", "bound": "by name", "classes": names,
         "evidence": {"kind": "every row adds up to 1"}},
        metrics, [class_row(name, 1.1 - i / 10) for i, name in enumerate(names)],
        [Reliability("confidence", "width", 15, said)],
        confusion=Confusion(["dog", "cat"], [[930.0, 5.0], [20.0, 945.0]]),
    )  # fmt: skip


HEADLINE = """\
cifar10_wideresnet.parquet · 10,000 rows · 10 classes · probabilities in p_* · label in "label"

  cross-entropy   0.3782 ± 0.0287 nats    0.546 bits   \
16.4 % of what the class frequencies alone leave open
  perplexity      1.460  [1.418, 1.502]
  accuracy        91.09 % ± 0.56 %        top-5 99.67 %
  Brier score     0.1439 ± 0.0089         skill 84.0 %
  calibration     ECE 0.0537 (0.0039 expected by chance)   over-confident by 0.283 nats"""


def test_the_headline_is_understood_without_the_manual() -> None:
    assert table.render(report(), quiet=True) == HEADLINE


def test_the_whole_table_follows_the_headline() -> None:
    text = table.render(report())
    assert text.startswith(HEADLINE + "\n\n  reliability  (confidence, 15 bins)\n")
    assert "widest gap:  says 0.84, right 0.58 (210 rows)" in text
    assert "\n  dog       1,000          1.100  10.0 %  30.0 %     20.0 %  40.0 %" in text
    assert text.endswith("\n\n  ± is the half-width of the 95 % interval.")


def test_bits_lead_where_bits_are_asked_for() -> None:
    text = table.render(report(), unit="bits")
    assert "cross-entropy   0.5456 ± 0.0414 bits    0.378 nats" in text
    assert "over-confident by 0.408 bits" in text
    assert re.search(r"dog +1,000 +1\.587 ", text)


def test_digits_override_the_interval_everywhere() -> None:
    text = table.render(report(), digits=2)
    assert "0.38 ± 0.03 nats" in text and "91 % ± 1 %" in text
    assert re.search(r"dog +1,000 +1\.1 +10 % +30 % +20 % +40 % +0\.50 ", text)


def test_infinite_loss_is_said_in_words() -> None:
    found = report()
    found.metrics |= {
        "cross_entropy": Value(math.inf, "nat", n=10000, why="3 rows gave their own label p = 0"),
        "cross_entropy_finite": Value(0.37412, "nat", n=9997),
        "zero_probability_rows": Value(3.0, "row", n=10000),
        "perplexity": Value(math.inf),
        "normalized_cross_entropy": Value(math.inf),
        "overconfidence": Value(math.inf, "nat"),
    }
    text = table.render(found)
    assert "infinite: 3 rows gave their own label p = 0; 0.3741 without them\n" in text
    assert "perplexity      infinite\n" in text
    found.metrics["zero_probability_rows"] = Value(1.0, "row")
    assert "infinite: 1 row gave its own label p = 0; 0.3741 without it\n" in table.render(found)


def test_an_undefined_figure_says_why_in_its_place() -> None:
    found = report()
    found.metrics["brier_skill_score"] = share(None)
    found.metrics["accuracy"] = Value(None, "fraction", why="no rows")
    text = table.render(found)
    assert "accuracy        undefined: no rows" in text and "skill undefined" in text


def test_missing_figures_leave_no_empty_lines() -> None:
    found = Report("", {}, {"inputs": ["a"], "rows": 1}, {"accuracy": Value(1.0, "fraction")})
    assert table.render(found) == "a · 1 row\n\n  accuracy        100.0 %"


def test_a_metric_that_was_asked_for_is_shown_without_verbose() -> None:
    found = report()
    found.metrics["smooth_ece"] = Value(0.0757, "fraction", n=10000)
    assert "\n  smooth_ece   0.07570   n = 10,000" in table.render(found, quiet=True)


def test_verbose_tells_all_figures_and_the_evidence() -> None:
    text = table.render(report(), verbose=True)
    assert "predictive_entropy      0.09517 ± 0.00466 nats   n = 10,000" in text
    assert "mcc                     undefined: all labels are of one class   n = 10,000" in text
    assert "classes bound by name" in text.splitlines()[0]
    assert "  kind: every row adds up to 1\n  definition: ce:nats|prior:labels\n" in text
    assert "           [1]  [2]\n  [1] dog  930    5\n  [2] cat   20  945\n" in text
    assert "mcc" not in table.render(report())


def test_a_confusion_matrix_of_many_classes_is_left_out() -> None:
    many = Confusion([str(i) for i in range(21)], [[0.0] * 21] * 21)
    assert "confusion  (" not in table.render(replace(report(), confusion=many), verbose=True)


def test_rows_left_out_and_doubtful_binding_are_always_shown() -> None:
    found = report()
    found.data |= {"scored": 9990, "skipped": {"score_nan": 8, "none": 0}, "ignored": 2}
    found.data |= {"bound": "in file order", "weight_column": "w"}
    first, second, *_ = table.render(found, quiet=True).splitlines()
    assert "9,990 of 10,000 rows scored" in first and "classes bound in file order" in first
    assert 'weighted by "w"' in first
    assert second == "skipped 8 rows: score nan · ignored 2 rows"


def test_several_files_are_counted() -> None:
    found = report()
    found.data["inputs"] = ["a", "b", "c"]
    assert table.render(found).startswith("3 files · 10,000 rows")


def test_a_binary_report_is_about_the_positive_class() -> None:
    found = report()
    found.data |= {"task": "binary", "positive": "spam", "classes": ["ham", "spam"]}
    found.metrics |= {
        "auroc": Value(0.91234, "fraction", bound=1e-4),
        "ece_positive": share(0.0123),
    }
    found.metrics |= {"average_precision": share(0.88), "ece_positive_chance": share(0.004)}
    said = replace(found.reliability[0], pair="positive")
    text = table.render(replace(found, reliability=[said, *found.reliability]))
    assert 'positive class "spam"' in text.splitlines()[0] and "classes ·" not in text
    assert "ranking         AUROC 0.9123 (within 1.0e-04)   average precision 0.8800" in text
    assert "ECE of p(positive) 0.0123 (0.0040 expected by chance)" in text
    assert "came true 0.58" in text and "right 0.58" not in text


def test_a_prior_is_named_where_it_is_the_reference() -> None:
    text = table.render(replace(report(), definition="ce:nats|prior:given"))
    assert "16.4 % of what the prior alone leaves open" in text


@pytest.mark.parametrize(("limit", "said"), [(3, "and 7 more classes"), (9, "and 1 more class\n")])
def test_classes_beyond_the_limit_are_counted(limit: int, said: str) -> None:
    text = table.render(report(), per_class=limit)
    assert said in text and "frog" not in text


def test_all_classes_are_shown_on_request() -> None:
    text = table.render(replace(report(), classes=[class_row(f"c{i}", 1) for i in range(99)]), per_class=None)
    assert "c98 " in text and "more class" not in text


def test_warnings_are_counted_but_not_told_on_stdout() -> None:
    warnings = [Warning("XW101", "rows do not add up", "--renormalize")] * 2
    text = table.render(replace(report(), warnings=warnings))
    assert text.endswith("2 warnings on stderr.") and "XW101" not in text
    assert "stderr" not in table.render(replace(report(), warnings=warnings), quiet=True)


@pytest.mark.parametrize("width", [60, 80])
def test_what_else_is_known_of_a_figure_goes_on_below_it(width: int) -> None:
    shown = report()
    shown.metrics["smooth_ece"] = Value(0.0661, "", "lower", 1200, None, 0.0329, 0.0859, p=0.012, chance=0.03)
    lines = table.render(shown, width=width, verbose=True).splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("  smooth_ece"))
    start = lines[at].index("0.0661")
    assert all(len(line) <= width for line in lines)
    assert lines[at + 1][:start].isspace() and lines[at + 1][start:].strip()


def test_the_level_of_chance_is_not_shown_without_the_error_it_belongs_to() -> None:
    shown = report()
    figures = {name: share(0.1) for name in ("share", "accuracy", "ece", "ece_chance")}
    loss = Value(0.5, "nat", "lower", 20, 0.1, 0.3, 0.7)
    by: dict[str, str | None] = {"lang": "a long name of a slice"}
    shown.slices = [SliceRow(by, 20, 20.0, True, 0.4, None, None, {"cross_entropy": loss, **figures}, 7)]
    seen = set()
    for width in range(40, 120):
        text = table.render(shown, width=width)
        head = next(line for line in text.splitlines() if line.startswith("  slice "))
        assert "by chance" not in head or "ECE" in head
        seen.add(head.count("by chance") + head.count("ECE"))
    assert seen == {0, 1, 2}
