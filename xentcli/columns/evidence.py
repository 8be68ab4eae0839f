"""Of all readings that fit, which has the strongest kind of evidence?"""

from __future__ import annotations

from xentcli.columns.candidates import Candidate
from xentcli.columns.labelled import Label
from xentcli.columns.labels import Binding
from xentcli.columns.vocabulary import says_score

Fit = tuple[Candidate, Label, Binding]


def best(fits: list[Fit], explicit: bool) -> list[Fit]:
    """Of all readings, those with the strongest kind of evidence.

    Rows that add up to one, or class names that are the labels, first; then names of the field; a
    single score column only where no wider reading is left.
    """
    if explicit or (len(fits) < 2 and all(_witnessed(*fit) for fit in fits)):
        return fits
    sure = [fit for fit in fits if fit[0].kind.sure and fit[0].width > 1]
    if sure and not all(fit[0].nameless for fit in sure):
        return bound(sure)
    named = [fit for fit in fits if fit[0].width == 1 and says_score(fit[0].columns[0].name)]
    if sure:
        return bound(sure) + named
    wide = [fit for fit in fits if fit[0].width > 1 and _witnessed(*fit)]
    if wide:
        return bound(wide)
    return bound(named) or [fit for fit in fits if fit[0].width == 1]


def _witnessed(candidate: Candidate, label: Label, binding: Binding) -> bool:
    """Is there more than position to say that these columns are scores?"""
    if candidate.width == 1 or candidate.kind.sure:
        return True
    named = says_score(
        candidate.prefix
        or candidate.ending
        or (candidate.columns[0].name if candidate.layout == "list" else "")
    )
    return named or binding.labels.how == "by name"


def bound(
    fits: list[Fit],
) -> list[Fit]:
    """If some readings bind classes by name or value, only those; the same columns count once."""
    surely = [fit for fit in fits if fit[2].labels.how in ("by name", "by value")]
    kept: dict[tuple[object, ...], Fit] = {}
    for fit in surely or fits:
        key = (frozenset(c.name for c in fit[0].columns), fit[1].text)
        kept.setdefault(key, fit)
    return list(kept.values())
