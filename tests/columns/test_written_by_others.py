"""Files as tidymodels, caret, pandas and competitions write them: the right figure, or a question."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Sequence
from pathlib import Path
from shutil import which

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.corpus import xent
from xentcli.cli.app import main

NAMES = ("cat", "dog", "emu")
ROWS = [
    (0.7, 0.2, 0.1),
    (0.1, 0.6, 0.3),
    (0.5, 0.3, 0.2),
    (0.25, 0.25, 0.5),
    (0.2, 0.7, 0.1),
    (0.6, 0.1, 0.3),
]
TRUE = [0, 1, 1, 2, 0, 0]
LOSS = -math.fsum(math.log(row[y]) for row, y in zip(ROWS, TRUE, strict=True)) / len(ROWS)
MOST = [NAMES[row.index(max(row))] for row in ROWS]


def write(path: Path, header: list[str], *columns: Sequence[object]) -> str:
    lines = [",".join(header), *(",".join(map(str, cells)) for cells in zip(*columns, strict=True))]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def scores() -> list[list[object]]:
    return [list(column) for column in zip(*ROWS, strict=True)]


def truth() -> list[object]:
    return [NAMES[y] for y in TRUE]


def loss(capsys: pytest.CaptureFixture[str], *arguments: str) -> float:
    assert main(["score", *arguments, "--only", "cross_entropy"]) == 0, capsys.readouterr().err
    return float(capsys.readouterr().out)


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["score", *arguments]) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def test_a_predicted_class_is_not_the_label(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """tidymodels: `.pred_class` holds the argmax; beside it, `Species` is the label."""
    header = [*(f".pred_{name}" for name in NAMES), ".pred_class", ".row"]
    columns: list[list[object]] = [*scores(), list(MOST), list(range(1, 7))]
    path = write(tmp_path / "tidy.csv", [*header, "Species"], *columns, truth())
    assert loss(capsys, path) == pytest.approx(LOSS, abs=1e-12)
    alone = write(tmp_path / "alone.csv", header, *columns)
    said = asked(capsys, alone)
    assert "or what was predicted" in said
    assert "--label .pred_class" in said and "--labels FILE" in said


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "rowIndex", "id"])
@pytest.mark.parametrize("first", [0, 3])
def test_a_number_of_the_row_is_no_score(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, first: int
) -> None:
    """`DataFrame.to_csv` writes its index, without a name, before the columns; caret after them."""
    index: list[object] = list(range(first, first + 6))
    labels: list[object] = list(TRUE)
    for place, given in enumerate((truth(), labels)):
        before = write(tmp_path / f"before{place}.csv", [name, *NAMES, "target"], index, *scores(), given)
        after = write(tmp_path / f"after{place}.csv", ["obs_class", *NAMES, name], given, *scores(), index)
        for path in (before, after):
            assert loss(capsys, path) == pytest.approx(LOSS, abs=1e-12)


def test_other_whole_numbers_beside_probabilities(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "age.csv", [*NAMES, "age", "target"], *scores(), [31, 8, 77, 5, 12, 60], truth())
    assert loss(capsys, path) == pytest.approx(LOSS, abs=1e-12)


def test_zeros_and_ones_stay_scores(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[list[object]] = [[0.25, 0.5, 0.75], [0.75, 0.5, 0.25], [0, 0, 0]]
    path = write(tmp_path / "zeros.csv", ["cat", "dog", "id", "target"], *rows, ["cat", "cat", "cat"])
    assert loss(capsys, path) == pytest.approx(-math.log(0.25 * 0.5 * 0.75) / 3, abs=1e-12)


@pytest.mark.parametrize("said", [[], ["--pred", "target", "--label", "target"]])
def test_a_solution_with_the_names_of_the_submission(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], said: list[str]
) -> None:
    """The labels were once scored against themselves: cross-entropy 0, accuracy 100 %."""
    p: list[object] = [0.9, 0.2, 0.6, 0.4]
    y = [1, 0, 0, 1]
    submission = write(tmp_path / "submission.csv", ["id", "target"], [1, 2, 3, 4], p)
    solution = write(tmp_path / "solution.csv", ["id", "target"], [4, 3, 2, 1], list(reversed(y)))
    expected = -math.log(0.9 * 0.8 * 0.4 * 0.4) / 4
    assert loss(capsys, submission, "--labels", solution, *said) == pytest.approx(expected, abs=1e-12)
    assert "--labels FILE" in asked(capsys, submission)


def test_a_solution_of_several_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a: list[object] = [0.9, 0.2, 0.6]
    b: list[object] = [0.5, 0.4, 0.7]
    submission = write(tmp_path / "submission.csv", ["id", "rude", "threat"], [1, 2, 3], a, b)
    solution = write(tmp_path / "solution.csv", ["id", "rude", "threat"], [1, 2, 3], [1, 0, 1], [1, 0, 1])
    expected = -math.log(0.9 * 0.8 * 0.6 * 0.5 * 0.6 * 0.7) / 6
    for said in ([], ["--label", "rude", "--label", "threat"]):
        assert loss(capsys, submission, "--labels", solution, *said) == pytest.approx(expected, abs=1e-12)


def test_percentages_and_what_to_type(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hundred: list[list[object]] = [[round(100 * float(str(p))) for p in column] for column in scores()]
    hundred[0][0] = 70.0
    hundred[1][0], hundred[2][0] = 20.0, 10.0
    path = write(tmp_path / "percent.csv", [*NAMES, "target"], *hundred, truth())
    assert "try: --kind probs --renormalize or --kind logits" in asked(capsys, path)
    assert loss(capsys, path, "--kind", "probs", "--renormalize") == pytest.approx(LOSS, abs=1e-12)


def test_a_header_that_is_not_utf_8(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes("étiquette,p\n1,0.9\n0,0.2\n".encode("latin-1"))
    said = asked(capsys, str(path))
    assert "udc" not in said and "field 1" in said and "--encoding latin-1" in said


def test_bzip2_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import bz2

    path = tmp_path / "preds.csv.bz2"
    path.write_bytes(bz2.compress(b"p,y\n0.5,1\n" * 50))
    said = asked(capsys, str(path))
    assert "bzip2" in said and "unpack" in said


def test_help_has_whole_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "..." not in capsys.readouterr().out.split("Commands:")[1]


@pytest.mark.parametrize(
    ("base", "sign", "said"),
    [(math.e, -1, "negative log-probabilities"), (2, 1, "to base 2"), (10, 1, "to base 10"),
     (2, -1, "negative logarithms to base 2"), (10, -1, "negative logarithms to base 10")],
)  # fmt: skip
@pytest.mark.parametrize("prefix", ["nll_", "score_", ""])
def test_other_logarithms_are_not_taken_for_logits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], base: float, sign: int, said: str, prefix: str
) -> None:
    rows: list[list[object]] = [
        [sign * math.log(p, base) for p in column] for column in zip(*ROWS, strict=True)
    ]
    path = write(tmp_path / "logs.csv", [*(prefix + name for name in NAMES), "target"], *rows, truth())
    found = asked(capsys, path)
    assert said in found and "natural logarithms" in found and "--kind logits" in found


def test_references_of_evaluate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "pairs.jsonl"
    rows = [{"predictions": row, "references": y} for row, y in zip(ROWS, TRUE, strict=True)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert loss(capsys, str(path)) == pytest.approx(LOSS, abs=1e-12)


def test_samples_of_lm_eval_and_what_to_type(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Log-likelihoods of choices do not add up to one: as logits, they are what its accuracy compares."""
    lines = []
    for number, (row, y) in enumerate(zip(ROWS, TRUE, strict=True)):
        pairs = [[str(math.log(p) - 7), "False"] for p in row]
        lines.append({"doc_id": number, "doc": {"answer": y}, "target": str(y), "acc": 1.0,
                      "resps": [[pair] for pair in pairs], "filtered_resps": pairs})  # fmt: skip
    path = tmp_path / "samples.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = asked(capsys, str(path))
    assert "lm-eval" in found
    if which("jq") is None:
        pytest.skip("no jq")
    typed = found.partition("try: ")[2].partition(" > NEW")[0].replace("FILE", str(path))
    new = tmp_path / "new.jsonl"
    new.write_bytes(subprocess.run(typed, shell=True, capture_output=True, check=True).stdout)
    assert loss(capsys, str(new)) == pytest.approx(LOSS, abs=1e-12)


def test_names_of_rows_that_the_header_lacks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"{i} {' '.join(map(str, row))} {y}" for i, (row, y) in enumerate(zip(ROWS, TRUE, strict=True))]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["p_0 p_1 p_2 y", *rows, ""]))
    assert "as R writes them" in asked(capsys, str(path), "--delimiter", " ")


@pytest.mark.parametrize("name", ["score", "odds", "loss", "percent"])
def test_one_column_that_is_never_below_0_is_not_taken_for_logits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Percentages were once scored as logits, each of them a probability of nearly 1."""
    values: list[object] = [93.5, 12.25, 55.0, 0.5]
    path = write(tmp_path / "one.csv", [name, "label"], values, [1, 0, 1, 0])
    said = asked(capsys, path)
    assert "none is below 0" in said and "percentages / 100" in said
    assert loss(capsys, path, "--kind", "logits") == pytest.approx(
        (12.25 + 0.5 + math.log1p(math.exp(-0.5))) / 4
    )
    assert loss(capsys, write(tmp_path / "two.csv", ["logit", "label"], values, [1, 0, 1, 0])) > 3
    signed = write(tmp_path / "signed.csv", [name, "label"], [93.5, -12.25, 55.0, 0.5], [1, 0, 1, 0])
    assert loss(capsys, signed) == pytest.approx((0.5 + math.log1p(math.exp(-0.5))) / 4, rel=1e-5)


IDS = [f"r{i}" for i in range(40)]
P0 = [0.05 + 0.9 * (i * 7 % 40) / 40 for i in range(40)]
Y2 = [i % 2 for i in range(40)]
ANSWERS = [("No", "Yes")[y] for y in Y2]


@pytest.mark.parametrize(
    ("columns", "said", "remedy"),
    [
        ({"respondent": IDS, "wt": P0, "voted": Y2, "p_vote": P0}, '"voted"', "--pred p_vote --label voted"),
        (
            {"who": IDS, "w": P0, "employed": ANSWERS, "prob": P0},
            '"employed"',
            "--pred prob --label employed",
        ),
        ({"key": IDS, "p_a": P0, "p_b": [1 - p for p in P0]}, '"key"', "--label COLUMN, or --labels FILE"),
        ({"who": IDS, "p_a": P0, "p_b": [1 - p for p in P0]}, '"who"', "--label COLUMN, or --labels FILE"),
    ],
    ids=["survey", "answers", "submission", "unique"],
)
def test_what_nothing_calls_the_label_is_named_only_if_it_could_be_it(
    tmp_path: Path, columns: dict[str, Sequence[object]], said: str, remedy: str
) -> None:
    """Weights and names of respondents are not the first thing to ask about."""
    asked = xent("score", write(tmp_path / "p.csv", list(columns), *columns.values()))
    assert asked.code == 3 and "no column says that it is the label" in asked.err
    assert said in asked.err and remedy in asked.err


def test_names_of_classes_in_brackets(tmp_path: Path) -> None:
    columns: list[Sequence[object]] = [ANSWERS, [1 - p for p in P0], P0]
    header = ["Actual", "P(No)", "P(Yes)"]
    path = write(tmp_path / "p.csv", header, *columns)
    loss = math.fsum(-math.log(p if y else 1 - p) for p, y in zip(P0, Y2, strict=True)) / len(P0)
    for options in ([], ["--pred", "P(*)"]):
        found = json.loads(xent("score", path, "--json", *options).out)
        assert found["metrics"]["cross_entropy"]["value"] == pytest.approx(loss, rel=1e-12)
        assert found["data"]["pred"] == "P(*)" and found["data"]["classes"] == ["No", "Yes"]


@pytest.mark.parametrize("label", ["Actual", "label"])
def test_the_probability_of_what_was_predicted_is_of_no_one_class(tmp_path: Path, label: str) -> None:
    columns: list[Sequence[object]] = [
        ANSWERS,
        ["Yes" if p > 0.5 else "No" for p in P0],
        [max(p, 1 - p) for p in P0],
    ]
    for names in ((label, "Predicted", "Probability"), (label, "pred_label", "score")):
        asked = xent("score", write(tmp_path / "p.csv", list(names), *columns))
        assert asked.code == 3 and "never below 1/2" in asked.err and f'"{names[1]}"' in asked.err
        assert f"--pred {names[2]} --positive" in asked.err or "--positive No or --positive Yes" in asked.err


def test_a_column_without_a_number_is_no_kind(tmp_path: Path) -> None:
    path = write(tmp_path / "p.csv", ["target", "prediction"], Y2, [f"{100 * p:.1f}%" for p in P0])
    assert "none of the first values is a number" in xent("score", path).err


def test_a_list_column_without_a_list_is_asked_about(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"pred": pa.array([None], pa.list_(pa.float64())), "label": [1]}), tmp_path / "p.parquet"
    )
    asked = xent("inspect", str(tmp_path / "p.parquet"))
    assert asked.code == 0 and "none of the first values is a number" in asked.out


def test_class_names_that_end_in_numbers_are_whole_in_every_layout(tmp_path: Path) -> None:
    """`--pred 'p_*'` matches p_c0, which is of class 0, or of c0 where the labels say so."""
    labels, p = ["c0", "c1", "c1", "c0"], [[0.7, 0.3], [0.2, 0.8], [0.6, 0.4], [0.9, 0.1]]
    names = ["p_c0", "p_c1", "label"]
    wide = write(tmp_path / "wide.csv", names, *zip(*p, strict=True), labels)
    index = write(tmp_path / "index.csv", names, *zip(*p, strict=True), [0, 1, 1, 0])
    rows = [(i, f"c{c}", p[i][c], labels[i]) for i in range(4) for c in range(2)]
    long = write(tmp_path / "long.csv", ["item", "class", "score", "label"], *zip(*rows, strict=True))
    loss = -math.log(0.7 * 0.8 * 0.4 * 0.9) / 4
    asked = ["--id", "item", "--class-column", "class", "--pred", "score"]
    for path, options in ((wide, ["--pred", "p_*"]), (index, ["--pred", "p_*"]), (long, asked), (long, [])):
        found = json.loads(xent("score", path, "--json", *options).out)
        assert found["metrics"]["cross_entropy"]["value"] == pytest.approx(loss, rel=1e-12)
        assert found["data"]["classes"] == (["0", "1"] if path == index else ["c0", "c1"])


def test_inspect_types_what_may_be_the_label(tmp_path: Path) -> None:
    path = write(tmp_path / "p.csv", ["who", "voted", "p_vote"], IDS, Y2, P0)
    looked = json.loads(xent("inspect", path, "--json").out)
    assert looked["readings"] == [
        {
            "options": "--pred p_vote --label voted",
            "means": 'probabilities in p_vote of "1", label in "voted"',
        }
    ]
    assert xent(*looked["commands"][0].split()[1:]).code == 0
