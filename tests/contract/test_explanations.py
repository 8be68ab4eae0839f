"""Every metric, every error and every warning is explained, and every example ends as it says."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.ids import raised, warned
from tests.corpus.corpus import Outcome, environment, process, refused, unknown_options, xent
from xentcli.cli.app import main
from xentcli.explanations import ENTRIES, SUBJECTS, Entry
from xentcli.explanations.codes import CODES
from xentcli.explanations.coverage import COVERAGE
from xentcli.explanations.elsewhere import ELSEWHERE
from xentcli.explanations.intervals import INTERVALS, NONE
from xentcli.explanations.methods import METHODS
from xentcli.explanations.metrics import MEASURES
from xentcli.explanations.screen import SCREEN
from xentcli.explanations.words import BY_NAME, WORDS
from xentcli.metrics.names import METRICS
from xentcli.metrics.peernames import PEERS

EXAMPLES = [entry for entry in ENTRIES.values() if entry.example]


# -- completeness ----------------------------------------------------------------------------------
def test_every_error_id_in_the_code_is_explained() -> None:
    assert sorted(set(raised()) - set(ENTRIES)) == [], "add an Entry in xentcli/explanations"


def test_every_warning_id_in_the_code_is_explained() -> None:
    assert sorted(warned() - set(ENTRIES)) == [], "add an Entry in xentcli/explanations/warnings.py"


def test_nothing_is_explained_that_the_code_does_not_have() -> None:
    assert sorted(set(ENTRIES) - set(raised()) - warned()) == []


def test_the_exit_code_of_an_explanation_is_one_that_the_error_has() -> None:
    known = {id: codes for id, codes in raised().items() if id in ENTRIES and codes}
    wrong = {id: codes for id, codes in known.items() if ENTRIES[id].code not in codes}
    assert wrong == {}


def test_ids_of_errors_are_words_and_ids_of_warnings_are_numbered() -> None:
    for id, entry in ENTRIES.items():
        assert re.fullmatch("[a-z][a-z0-9_]*" if entry.code else r"XW\d{3}", id)
        assert entry.code in CODES


def test_no_id_is_explained_twice_and_none_is_the_name_of_a_metric() -> None:
    ids = [entry.id for entries in SUBJECTS.values() for entry in entries]
    names = [name for metric in METRICS for name in (metric.key, *metric.aliases)]
    assert len(ids) == len(set(ids)) and set(ids) & set(names) == set()


def test_every_metric_is_explained_and_no_other() -> None:
    listed = {"topk_accuracy" if re.fullmatch(r"top\d+_accuracy", m.key) else m.key for m in METRICS}
    assert {measure.key for measure in MEASURES} == listed
    assert len(MEASURES) == len(listed)


def test_a_metric_says_how_its_interval_is_made_or_has_none() -> None:
    assert set(INTERVALS) <= {measure.key for measure in MEASURES}
    without = {m.key for m in MEASURES if m.key not in INTERVALS and "interval" not in m.reading}
    assert without == set(NONE)
    assert "  interval  DeLong" in xent("explain", "auroc").out


def test_a_calibration_error_says_how_often_its_interval_held_and_what_other_libraries_have() -> None:
    assert set(COVERAGE) <= set(INTERVALS) and set(ELSEWHERE) <= {measure.key for measure in MEASURES}
    simulated = {metric.key for metric in METRICS if metric.tested and metric.key in INTERVALS}
    assert simulated - set(COVERAGE) == {"smooth_ece_positive"}
    shown, document = xent("explain", "ece").out, json.loads(xent("explain", "ece", "--json").out)
    assert "  coverage  intervals of 95 %" in shown and "\n  elsewhere uncertainty-calibration's" in shown
    assert document["coverage"] == COVERAGE["ece"] and document["elsewhere"] == ELSEWHERE["ece"]


def test_a_metric_says_its_formula_its_range_and_where_it_comes_from() -> None:
    assert [m.key for m in MEASURES if not all((m.formula, m.range, m.reading, m.source))] == []


# -- the text --------------------------------------------------------------------------------------
def test_a_remedy_names_only_options_that_exist() -> None:
    for entry in ENTRIES.values():
        assert entry.cause.endswith(".") and entry.remedy, entry.id
        assert unknown_options(entry.cause + " " + entry.remedy) == set(), entry.id


def test_every_id_can_be_asked_for() -> None:
    for id, entry in ENTRIES.items():
        outcome = xent("explain", id.swapcase())
        assert outcome.code == 0 and id in outcome.out
        document = json.loads(xent("explain", id, "--json").out)
        assert document["name"] == id and document["cause"] == entry.cause


def test_every_metric_can_be_asked_for_by_all_its_names() -> None:
    for metric in METRICS:
        shown = {xent("explain", name).out for name in (metric.key, *metric.aliases)}
        assert len(shown) == 1 and metric.says in shown.pop()


@pytest.mark.parametrize(
    "name", [f"{peer}.{figure.key}" for peer, known in PEERS.items() for figure in known.figures]
)
def test_a_figure_of_another_library_is_explained_by_its_convention(name: str) -> None:
    peer = PEERS[name.partition(".")[0]]
    shown, document = xent("explain", name), json.loads(xent("explain", name, "--json").out)
    assert (
        shown.code == 0
        and "\n  computed  " in shown.out
        and f"{peer.name} {peer.version}" in shown.out
        and "{" not in shown.out
    )
    assert document["name"] == name and document["formula"] and document["source"].startswith(peer.name)
    assert f"--compat {name.partition('.')[0]} " in document["reading"]


@pytest.mark.parametrize("code", CODES, ids=str)
def test_every_exit_code_can_be_asked_for(code: int) -> None:
    assert CODES[code].split()[0] in xent("explain", code).out


def test_the_exit_codes_are_those_of_the_help() -> None:
    help_text = " ".join(xent("--help").out.split())
    assert all(re.search(rf"\b{code} ", help_text) for code in CODES)


def test_the_list_has_every_name() -> None:
    text, document = xent("explain").out, json.loads(xent("explain", "--json").out)
    names = {*ENTRIES, *(metric.key for metric in METRICS), *map(str, CODES)}
    assert {name for name in names if name not in text} == set()
    told = {id for ids in document["ids"].values() for id in ids}
    assert told | set(document["metrics"]) | set(document["exit_codes"]) == names


@pytest.mark.parametrize(
    ("name", "meant"), [("acuracy", "accuracy"), ("row_sums", "row_sum"), ("XW1O4", "XW104"), ("140", "")]
)
def test_a_name_that_nothing_has_is_a_usage_error_with_the_nearest(name: str, meant: str) -> None:
    refused(xent("explain", name), 2, f'"{name}"', meant, "[unknown_name]")


def test_a_name_is_not_taken_for_an_order_to_the_terminal() -> None:
    assert "\x1b" not in xent("explain", "\x1b[31m\n::error::").err


def test_an_explanation_needs_neither_numpy_nor_pyarrow() -> None:
    code = (
        "import sys; from xentcli.cli.app import main; main(['explain', 'nll']); main(['explain', 'row_sum'])"
        ";main(['explain', '--json']); print(sorted(m for m in ('numpy', 'pyarrow', 'pandas', 'rich.console')"
        " if m in sys.modules), file=sys.stderr)"
    )
    done = _run(sys.executable, "-c", code)
    assert done.stderr.splitlines()[-1] == "[]"


def test_where_only_ascii_can_be_shown_nothing_is_lost() -> None:
    outcome = process("explain", "spiegelhalter_z", env={"PYTHONIOENCODING": "ascii", "LC_ALL": "C"})
    assert outcome.out.isascii() and "sqrt(sum" in outcome.out and "\\u" not in outcome.out


# -- the examples ----------------------------------------------------------------------------------
@pytest.mark.parametrize("entry", EXAMPLES, ids=lambda entry: entry.id)
def test_an_example_ends_as_it_is_to_show(
    entry: Entry, tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sample_data").symlink_to(samples)
    monkeypatch.chdir(tmp_path)
    outcome = follow(entry.example)
    said = re.findall(r"^warning (XW\d{3}):", outcome.err, re.MULTILINE)
    said += re.findall(r"^error: .* \[(\w+)\]$", outcome.err, re.MULTILINE)
    assert entry.id in said, outcome
    assert outcome.code == entry.code or not entry.code, outcome


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | environment()
    return subprocess.run(words, env=env, capture_output=True, text=True, timeout=60, check=False)


def follow(example: tuple[str, ...]) -> Outcome:
    """Type the lines of an example; the last one runs xent. What needs no shell is run in this process."""
    *before, last = example
    for line in before:
        command, *words = shlex.split(line)
        if command == "python3" and len(words) == 2 and words[0] == "-c":
            exec(words[1], {})
        elif command == "xent":
            assert xent(*words).code == 0
        else:
            subprocess.run(["sh", "-c", line], check=True, timeout=60)
    command, *words = shlex.split(last)
    if command == "xent" and "|" not in words:
        return xent(*words)
    piped = last.replace("xent ", f"{shlex.quote(sys.executable)} -m xentcli ")
    done = _run("sh", "-c", piped)
    return Outcome(done.returncode, done.stdout, done.stderr)


def test_words_of_the_screen_are_explained_as_they_stand_there(capsys: pytest.CaptureFixture[str]) -> None:
    main(["score", "sample_data/cancer.parquet"])
    labels = {line[2:17].strip() for line in capsys.readouterr().out.splitlines() if line.startswith("  ")}
    blocks = {"cross-entropy", "perplexity", "accuracy", "ranking", "Brier score", "calibration"}
    blocks |= {"recalibration", "worst rows"}
    assert blocks <= labels
    for words in (*sorted(blocks), "skill", "over-confident", "expected by chance", "average precision"):
        assert main(["explain", *words.split()]) == 0, words
    assert set(SCREEN.values()) <= {metric.key for metric in METRICS} | {"ece_chance"}
    assert not {word for word in SCREEN if word in {metric.key for metric in METRICS}}


def test_words_beside_figures_are_explained_by_all_their_forms_and_are_nothing_else() -> None:
    assert len(BY_NAME) == sum(1 + len(word.aliases) for word in WORDS)
    names = {name for metric in METRICS for name in (metric.key, *metric.aliases)}
    assert set(BY_NAME) & (names | set(SCREEN) | set(ENTRIES) | set(METHODS)) == set()
    for name, word in BY_NAME.items():
        document = json.loads(xent("explain", name.replace("_", " "), "--json").out)
        assert document["kind"] == "word" and document["says"] == word.says
    assert "\n  formula   (Σ w_i)² / Σ w_i²\n" in xent("explain", "effective rows").out
