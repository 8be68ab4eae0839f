"""From inputs to their one reading: files opened, their first rows looked at, what each column is."""

from __future__ import annotations

from collections.abc import Sequence

from xentcli import checking
from xentcli.columns import Ask, Resolution, resolve, shards
from xentcli.columns.schema import Preview
from xentcli.errors import CannotDecide, Question, clean
from xentcli.readers import Source, bits, joined, long, textlists
from xentcli.readers.opening import open_all
from xentcli.records import replace
from xentcli.settings import Settings


def opened(inputs: Sequence[str | Source], settings: Settings) -> list[Source]:
    """The files, opened, once the options are found to be possible."""
    checking.options(settings)
    sources = open_all(inputs, settings.reading)
    if settings.sha256 is not None:
        checking.file_hash(sources, settings.sha256)
    return sources


def previews(sources: list[Source], settings: Settings) -> list[tuple[Source, Preview]]:
    """Each source, as `--dtype` sees it, with what its footer and first rows show; of rows that are parts
    of items, one source of all items beside each look."""
    ask = settings.ask
    keys = (*ask.by, ask.group, ask.id, ask.class_column, *(column for column, _ in ask.where))
    asked = (*ask.pred, *ask.label, *([ask.pred_ids] if ask.pred_ids is not None else []))
    seen = textlists.through(bits.through(sources, settings.reading.dtype, ask.pred), asked, keys)
    seen = joined.through(seen, settings.labels, settings.ask.id, settings.reading)
    looks = [(source, source.preview()) for source in seen]
    if settings.ask.pred_ids is not None:
        return looks
    return long.through(looks, settings.ask, settings.rules.skip_bad, joined=settings.labels is not None)


def id_column(source: Source, settings: Settings) -> str | None:
    """The column that names the rows of all sources of a set, if there is one."""
    if isinstance(source, long.Items):
        return source.long.id
    return source.labels.id if isinstance(source, joined.Joined) else settings.ask.id


def read(looks: list[Preview], ask: Ask, path: str) -> Resolution:
    """The one reading of all shards that have rows; CannotDecide if none of the set at `path` has."""
    if not looks:
        raise CannotDecide("0 rows, so there is nothing to score", where=clean(path, 200), id="no_rows")
    looks = [replace(look, peers=tuple(p for p in looks if p is not look)) for look in looks]
    first = looks[0]
    try:
        what = resolve(first, ask)
    except Question as error:
        if error.id == "which_kind" and len(looks) > 1:
            shards.each_alone(looks, ask, error)
        raise
    if ask.by or ask.where or ask.group is not None or ask.id is not None:
        from xentcli.binding import keys

        keys.check(first, ask.by, ask.group, ask.id, tuple(column for column, _ in ask.where))
    if len(looks) > 1:
        what = shards.agreed(what, looks, ask)
    if ask.kind == "auto" and len(looks) > 1:
        shards.of_one_kind(looks, what)
    return replace(what, single=all(_single(what, look) for look in looks))


def _single(what: Resolution, look: Preview) -> bool:
    """Are the scores of a shard columns of float32, or of less?"""
    used = set(what.columns)
    stored = [column.stored for column in look.columns if column.name in used]
    return look.long is None and bool(stored) and set(stored) <= {"f2", "bf", "f4"}
