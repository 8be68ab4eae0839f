"""What every error and warning means, as plain data: cause, remedy and an example that is run by a test.

To add one, put an `Entry` into the file of its subject; a test names ids of the code that have none.
Nothing here is imported before somebody asks for an explanation.
"""

from __future__ import annotations

from xentcli.explanations import (
    columns,
    files,
    items,
    jsonlines,
    labels,
    lists,
    maps,
    options,
    results,
    rows,
    text,
    warnings,
)
from xentcli.explanations.entry import Entry

SUBJECTS: dict[str, tuple[Entry, ...]] = {
    "files": files.ENTRIES,
    "text": text.ENTRIES,
    "json lines": jsonlines.ENTRIES,
    "columns": columns.ENTRIES,
    "rows": rows.ENTRIES,
    "labels": labels.ENTRIES,
    "items": items.ENTRIES,
    "lists": lists.ENTRIES,
    "options": options.ENTRIES,
    "calibration": maps.ENTRIES,
    "results": results.ENTRIES,
    "warnings": warnings.ENTRIES,
}

ENTRIES: dict[str, Entry] = {entry.id: entry for entries in SUBJECTS.values() for entry in entries}

__all__ = ["ENTRIES", "SUBJECTS", "Entry"]
