"""Figures as a person reads them: digits, intervals, words for what is no number, ASCII twins.

Nothing here computes a figure. Digits are only ever added: no rounding claims a 0, 1 or 100 % that
is not exact. A no-break space stands inside what no line may break; it never comes from data.
"""

from __future__ import annotations

import math
import re
from typing import Any

from xentcli.errors import clean
from xentcli.records import replace
from xentcli.report import Report, Value

NBSP = "\u00a0"
MISSING = "–"
_ROUNDING = 1e-12  # of half an interval
_TWINS = str.maketrans(
    {"±": "+/-", "·": "|", "…": "...", "−": "-", "–": "-", "—": "--", "×": "x", "≤": "<=",
     "≥": ">=", "→": "->", "Σ": "sum ", "π": "pi", "²": "^2", "³": "^3", "½": "1/2", "∫": "integral of ",
     NBSP: NBSP}
)  # fmt: skip
# CI logs take "::error::" at the start of a line, and "##[error]" anywhere in it, as orders.
_LONGEST = 2000  # characters of a name from data; JSON has it whole
_ORDERS = re.compile(r"(?:^|(?<=\s)):(?=:)|(?<=#)#(?=[A-Za-z]*\[)")


def plain(text: str) -> str:
    """The ASCII twin of text of our own; what has none becomes an escape."""
    twin = text.translate(_TWINS).replace(NBSP, "\0").encode("ascii", "backslashreplace")
    return twin.decode("ascii").replace("\0", NBSP)


def shown(text: str, ascii_only: bool = False) -> str:
    """Text with data in it, whole and harmless: one line, no control characters, no CI orders.

    ascii_only: every character beyond ASCII becomes an escape, so that two names stay two names.
    """
    safe = _ORDERS.sub(lambda match: f"\\x{ord(match[0]):02x}", clean(text, _LONGEST))
    return safe.encode("ascii", "backslashreplace").decode("ascii") if ascii_only else safe


def count(number: float) -> str:
    """Rows or weight, thousands separated; a whole number has no decimals."""
    whole = float(number).is_integer() and abs(number) < 1e15
    return f"{int(number):,}" if whole else fixed(number, decimals(number, 4))


def decimals(value: float, digits: int) -> int:
    """Decimal places at which `value` has `digits` significant digits; 0 for 0 and for infinity."""
    if not value or math.isinf(value):
        return 0
    return max(0, digits - 1 - math.floor(math.log10(abs(value))))


def fixed(value: float, places: int, whole: float = 1.0) -> str:
    """`value` at `places` decimals, and more of them where rounding would claim 0 or `whole`."""
    if not math.isfinite(value):
        return "infinite" if value > 0 else "-infinite"
    value += 0.0
    if value and not 1e-6 <= abs(value) < 1e12:
        shown_places = places + math.floor(math.log10(abs(value))) if abs(value) < 1 else 3
        return f"{value:.{min(max(shown_places, 1), 16)}e}"
    while places < 17 and _claims(value, places, whole):
        places += 1
    return f"{value:,.{places}f}"


def _claims(value: float, places: int, whole: float) -> bool:
    """Whether `places` decimals would show a 0 or a `whole` that is not exact."""
    return abs(value) not in (0.0, whole) and abs(round(value, places)) in (0.0, whole)


def half_width(value: Value) -> float | None:
    """Half the width of the interval; None where there is none to show."""
    if value.lo is None or value.hi is None or not math.isfinite(value.hi - value.lo):
        return None
    return (value.hi - value.lo) / 2


def in_unit(value: Value, factor: float, unit: str) -> Value:
    """`value` with interval and bounds times `factor`: percent of fractions, bits of nats."""

    def scaled(x: float | None) -> float | None:
        return None if x is None else x * factor

    return replace(
        value, value=scaled(value.value), lo=scaled(value.lo), hi=scaled(value.hi), unit=unit,
        bound=scaled(value.bound), lower=scaled(value.lower), upper=scaled(value.upper),
    )  # fmt: skip


def percent(value: Value) -> Value:
    """A fraction as percent."""
    return in_unit(value, 100.0, "%")


def figure(
    value: Value,
    digits: int | None = None,
    *,
    default: int = 4,
    interval: bool = True,
    bracket: bool = False,
) -> str:
    """`0.3782 ± 0.0287`, with its unit if that is "%", or the words for why there is no number.

    digits: significant digits; by default `default`, fewer where the interval makes them noise,
    more where it needs them to show two of its own. A lopsided interval is shown in brackets. What is 0 but
    for the rounding of its sums is 0.
    """
    if value.value is None:
        return "undefined" + (f": {shown(value.why)}" if value.why else "")
    half = half_width(value) if interval else None
    number = 0.0 if half and abs(value.value) < _ROUNDING * half else value.value
    places = decimals(number, digits or default)
    if half and digits is None:
        places = max(min(places, decimals(half, 3)), decimals(half, 2))
    whole, tail = (100.0, f"{NBSP}%") if value.unit == "%" else (1.0, "")
    text = fixed(number, places, whole) + tail
    off = f" (within{NBSP}{value.bound:.1e})" if value.bound else ""
    if half is None or value.lo is None or value.hi is None:
        return text + off
    if bracket or abs(number - (value.lo + value.hi) / 2) > 0.1 * half:
        lo, hi = fixed(value.lo, places, whole), fixed(value.hi, places, whole)
        return f"{text}{NBSP} [{lo},{NBSP}{hi}]{tail}{off}"
    return f"{text}{NBSP}±{NBSP}{fixed(half, places, 0.0)}{tail}{off}"


def probability(p: float) -> str:
    """`p = 0.03`: two digits, at most three decimals, and "≤ 0.001" where that is all that is known."""
    if p <= 0.001:
        return f"p{NBSP}≤{NBSP}0.001"
    return f"p{NBSP}={NBSP}{fixed(p, min(decimals(p, 2), 3))}"


def between(value: Value, digits: int | None = None, default: int = 4) -> str:
    """What a figure lies between, in words; "" if it is not bounded on both sides."""
    if value.value is None or value.lower is None or value.upper is None:
        return ""
    places = decimals(value.value, digits or default)
    return f"between {fixed(value.lower, places)} and {fixed(value.upper, places)}"


def apart(one: float, other: float, places: int = 4) -> tuple[str, str]:
    """Both numbers at the fewest decimals, from `places`, at which they differ if they do."""
    while places < 17 and (
        (one != other and round(one, places) == round(other, places))
        or _claims(one, places, 1.0)
        or _claims(other, places, 1.0)
    ):
        places += 1
    texts = fixed(one, places), fixed(other, places)
    return texts if one == other or texts[0] != texts[1] else (repr(one), repr(other))


def column(values: list[Value], digits: int) -> list[str]:
    """Figures of one column at the same decimals: `digits` significant ones of the largest."""
    known = [abs(v.value) for v in values if v.value is not None and math.isfinite(v.value)]
    places = decimals(max(known, default=0.0), digits)
    return [MISSING if v.value is None else _cell(v.value, places, v.unit) for v in values]


def _cell(value: float, places: int, unit: str) -> str:
    share = unit == "%" and math.isfinite(value)
    return fixed(value, places, 100.0 if share else 1.0) + (f"{NBSP}%" if share else "")


def against(rule: dict[str, Any]) -> tuple[str, str]:
    """Value and limit of a judged rule, with the digits that tell them apart."""
    value, limit = rule.get("value"), rule.get("limit")
    if value is not None and limit is not None and math.isfinite(value) and math.isfinite(limit):
        return apart(value, limit)
    infinite = str(rule.get("why") or "").startswith("infinite")
    words = "infinite" if infinite or value is not None else "undefined"
    return words, "undefined" if limit is None else fixed(limit, 4)


def level(report: Report) -> float | None:
    """Percent that the intervals of a report cover; None if it has none."""
    if "ci" in report.provenance:
        stated = report.provenance["ci"]
        return None if stated is None else 100.0 * float(stated)
    for value in report.metrics.values():
        half = half_width(value)
        if half and value.se and value.unit == "nat":
            return 100.0 * math.erf(half / value.se / math.sqrt(2.0))
    return 95.0 if any(half_width(value) is not None for value in report.metrics.values()) else None


def redraws(report: Report) -> str:
    """How many redraws the p-values of a report rest on, or from how many to how many; "" if on none."""
    found = sorted({value.redraws for value in report.metrics.values() if value.redraws is not None})
    return " to ".join(f"{count:,}" for count in dict.fromkeys([*found[:1], *found[-1:]]))


def loss_in(value: Value, unit: str, other: bool = False) -> Value:
    """A figure in nats in the unit asked for, "nats" or "bits", or in the `other` of them."""
    if value.unit != "nat" or (unit == "bits") == other:
        return value
    return in_unit(value, 1.0 / math.log(2.0), "bit")
