"""Warnings and verdicts as lines of plain text for stderr; no rich here, so `--json` stays quick."""

from __future__ import annotations

import math
from typing import Any

from xentcli.errors import clean
from xentcli.report import Report, Warning


def warning(item: Warning) -> str:
    """`warning XW101: what, where; and what to type`."""
    example = f" (worst: {item.example})" if item.example and item.id == "XW101" else ""
    if item.example and item.id != "XW101":
        example = f" (first: {item.example})"
    remedy = f"\n  try: {item.remedy}" if item.remedy else ""
    return f"warning {item.id}: {item.message}{example}{remedy}"


def rules(report: Report) -> str:
    """One line a rule with value, limit and verdict; then the verdict of all."""
    cells = [("rule", "value", "limit", "verdict")]
    cells += [_row(rule) for rule in report.rules]
    widths = [max(len(row[i]) for row in cells) for i in range(4)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    failed = sum(rule["verdict"] == "fail" for rule in report.rules)
    undecided = sum(rule["verdict"] == "undefined" for rule in report.rules)
    total = len(report.rules)
    of = f"{total} rule{'s' if total != 1 else ''}"
    if failed:
        more = f", {undecided} undefined" if undecided else ""
        lines.append(f"FAIL  {failed} of {of} failed{more}")
    elif undecided:
        lines.append(f"UNDECIDED  {undecided} of {of} undefined")
    else:
        lines.append(f"PASS  {of}")
    return "\n".join(lines)


def _row(rule: dict[str, Any]) -> tuple[str, str, str, str]:
    verdict = {"pass": "PASS", "fail": "FAIL", "undefined": "UNDEFINED"}[rule["verdict"]]
    value, limit = rule["value"], rule["limit"]
    if value is None:
        shown = "infinite" if rule["verdict"] != "undefined" else "undefined"
        reason = f" ({rule['why']})" if rule.get("why") else ""
        return clean(rule["rule"]), shown, f"{limit:g}", verdict + reason
    return clean(rule["rule"]), *_apart(value, limit), verdict


def _apart(value: float, limit: float) -> tuple[str, str]:
    """Both numbers with as many digits as it takes to tell them apart, four at least."""
    for digits in range(4, 18):
        shown = f"{value:.{digits}g}"
        if value == limit or float(shown) != limit and (float(shown) < limit) == (value < limit):
            return shown, f"{limit:.{max(digits, 6)}g}"
    return repr(value), repr(limit) if math.isfinite(limit) else str(limit)
