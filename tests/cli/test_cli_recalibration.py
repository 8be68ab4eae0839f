"""What a report tells of recalibration: the sentence, where the figures are from, rules and bare values."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.corpus.corpus import score, xent
from xentcli.states import sample

DIGITS = "digits_overconfident.parquet"


def words(text: str) -> str:
    """The line on recalibration, its blanks made one."""
    lines = [line for line in text.splitlines() if line.startswith("  recalibration")]
    assert len(lines) == 1
    return " ".join(lines[0].replace("\xa0", " ").split())


def test_the_sentence_says_share_amount_and_temperature(samples: Path) -> None:
    found = score(samples / DIGITS).report
    gain, best = found["metrics"]["calibration_loss"], found["metrics"]["temperature"]["value"]
    part = gain["value"]
    share = found["data"]["recalibration"]["share"]
    assert share == pytest.approx(part / found["metrics"]["cross_entropy"]["value"], rel=1e-12)
    assert words(xent("score", samples / DIGITS).out) == (
        f"recalibration {part:.3f} nats ({100 * share:.0f} %) of the loss is miscalibration; dividing "
        f"the logits by {best:.2f} gives them back [{gain['lo']:.3f}, {gain['hi']:.3f}]"
    )
    bits = words(xent("score", samples / DIGITS, "--unit", "bits").out)
    low, here, high = (x / 0.6931471805599453 for x in (gain["lo"], part, gain["hi"]))
    assert f" {here:.3f} bits " in bits and bits.endswith(f"[{low:.3f}, {high:.3f}]")


def test_a_calibrated_model_has_a_calm_line(samples: Path) -> None:
    found = score(samples / "digits_good.parquet").report
    assert found["metrics"]["calibration_loss"]["value"] < 0 < found["metrics"]["calibration_loss"]["upper"]
    assert "gain next to nothing" in words(xent("score", samples / "digits_good.parquet").out)


def test_a_sample_is_told_and_all_rows_are_to_be_had(samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = score(samples / DIGITS).report
    assert whole["data"]["recalibration"]["how"] == "rows"
    monkeypatch.setattr(sample, "MOST_ROWS", 500)
    part = score(samples / DIGITS).report
    told = part["data"]["recalibration"]
    rows = told["rows"]
    assert 500 <= rows < 520  # some rows are the same, and kept as one
    assert (told["how"], told["of"]) == ("sample", 1797)
    assert part["metrics"]["calibration_loss"]["n"] == rows
    assert words(xent("score", samples / DIGITS).out).endswith(f"from {rows} of 1,797 rows")
    asked = score(samples / DIGITS, "-m", "temperature").report
    assert asked["data"]["recalibration"]["how"] == "grid"
    found, right = asked["metrics"], whole["metrics"]
    assert found["temperature"]["value"] == pytest.approx(right["temperature"]["value"], rel=2e-5)
    assert found["calibration_loss"]["upper"] == pytest.approx(right["calibration_loss"]["upper"], abs=1e-6)
    # Rows that are the same are in one fold here, and dealt over the folds there.
    assert found["calibration_loss"]["value"] == pytest.approx(right["calibration_loss"]["value"], rel=1e-2)
    assert {found[key]["n"] for key in ("temperature", "calibration_loss", "refinement_loss")} == {1797}
    assert asked["definition"] == part["definition"]


def test_rules_and_bare_values(samples: Path) -> None:
    best = score(samples / DIGITS).report["metrics"]["temperature"]["value"]
    assert float(xent("score", samples / DIGITS, "--only", "temperature").out) == best
    done = xent("score", samples / DIGITS, "--require", "calibration_loss <= 0.01", "-q")
    assert done.code == 1 and "FAIL" in done.err
    assert xent("score", samples / DIGITS, "--require", "refinement_loss <= 0.5", "-q").code == 0


def test_details_of_a_binary_task_have_the_parts_of_both_scores(samples: Path) -> None:
    plain, more = (xent("score", samples / "cancer.parquet", *option).out for option in ((), ("-v",)))
    for name in ("brier", "log"):
        for part in ("miscalibration", "discrimination", "uncertainty"):
            assert f"{name}_{part}" in more and f"{name}_{part}" not in plain
    assert "log_miscalibration" not in xent("score", samples / DIGITS, "-v").out


def test_what_has_no_best_temperature_says_why(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("p_0,p_1,y\n" + "0.9,0.1,0\n0.2,0.8,1\n" * 20)
    found = xent("score", path, "--label", "y")
    assert found.code == 0 and "recalibration" not in found.out
    done = xent("score", path, "--label", "y", "--require", "temperature <= 2")
    assert done.code == 4 and "the loss still falls at the temperature 1/16" in done.err
