"""What the braces, brackets and quotes of a block of JSON Lines say, without a look at its values.

The fast parser takes two objects on a line for two rows, an object over two lines for one, and keys that
it was not told of for nothing. So the lines and the keys are looked at beside it.
"""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from xentcli.readers.jsonrecords import Path
from xentcli.readers.newlines import CR, I64, LF, U8, has
from xentcli.readers.textblocks import Block

_QUOTE, _BACKSLASH, _COLON = b'"\\:'
_OPENS, _CLOSES = np.zeros(256, np.int8), np.zeros(256, np.int8)
_OPENS[list(b"{[")] = 1
_CLOSES[list(b"}]")] = 1
_SPACE, _MARK = np.zeros(256, bool), np.zeros(256, bool)
_SPACE[list(b" \t\r\n")] = True
_MARK[list(b'"\\{}[]')] = True
_LONGEST_GAP = 8  # spaces; what is further apart is looked at line by line
_DEEPEST = 8  # keys that lead to a value
_LONGEST_KEY = 64  # bytes; of lines with longer ones each is looked at
_AFTER = np.zeros(256, bool)  # what directly follows text that is no key
_AFTER[list(b",]}")] = True


def keys(block: Block) -> set[Path] | None:
    """The keys of a block, each with those that lead to it; None unless each line may be one object.

    `None` only says that this look does not suffice; so do lines with very long runs of spaces. Of a key
    within a list, those that lead to it may be others than they are; no column is there.
    """
    alike = _keys_of_first(block)
    if alike is not None:
        return alike
    octets = block.octets
    at = np.flatnonzero(_MARK[octets])
    at = _without_escapes(octets, at)
    kind = octets[at]
    quote = kind == _QUOTE
    before = np.cumsum(quote) - quote
    outside = ~quote & (before % 2 == 0)
    braces = at[outside]
    steps = _OPENS[octets[braces]] - _CLOSES[octets[braces]]
    level = np.cumsum(steps, dtype=np.int64)
    if quote.sum() % 2 or not _one_a_line(octets, block.starts(), braces, level):
        return None
    quotes = at[quote]
    opens, closes = quotes[0::2], quotes[1::2]
    colon = _skip_spaces(octets, closes + 1, octets.size)
    if colon is None:
        return None
    named = octets[np.minimum(colon, octets.size - 1)] == _COLON
    opens, closes = opens[named], closes[named]
    depth = level[np.searchsorted(braces, opens) - 1]
    return _paths(block.data, opens + 1, closes, depth)


def _keys_of_first(block: Block) -> set[Path] | None:
    """The keys of a block in which each line has those of the first one, in the same order; else None.

    So it is with most files, and a third of the work to find out. Lines with escapes, spaces around them,
    or objects within, may have them too, but are not looked at here.
    """
    octets, rows = block.octets, block.rows
    ends = np.flatnonzero(octets == LF)
    if not block.closed:
        ends = np.append(ends, octets.size)
    starts = np.concatenate((np.zeros(1, np.int64), ends[:-1] + 1))
    if ends.size != rows or has(octets, CR) or has(octets, _BACKSLASH):
        return None
    for mark, at in ((ord("{"), starts), (ord("}"), ends - 1)):
        if not (octets[at] == mark).all() or np.count_nonzero(octets == mark) != rows:
            return None
    quotes = np.flatnonzero(octets == _QUOTE)
    if not quotes.size or quotes.size % (2 * rows):
        return None
    pairs = quotes.reshape(rows, -1, 2)
    opens, closes = pairs[:, :, 0], pairs[:, :, 1]
    if (opens[:, 0] < starts).any() or (closes[:, -1] > ends).any():
        return None
    after = octets[closes + 1]
    named = after[0] == _COLON
    if ((after == _COLON) != named).any() or not _AFTER[after[:, ~named]].all():
        return None
    opens, closes = opens[:, named], closes[:, named]
    lengths = closes[0] - opens[0]
    if not lengths.size or lengths.max() > _LONGEST_KEY or (closes - opens != lengths).any():
        return None
    for step in range(1, int(lengths.max())):
        at = opens[:, lengths > step] + step
        if (octets[at] != octets[at[0]]).any():
            return None
    first = zip((opens[0] + 1).tolist(), closes[0].tolist(), strict=True)
    return {(_name(bytes(block.data[begin:end])),) for begin, end in first}


def _without_escapes(octets: U8, at: I64) -> I64:
    """The places of marks without backslashes and the quotes that they escape."""
    slash = octets[at] == _BACKSLASH
    if not slash.any():
        return at
    slashes = at[slash]
    apart = np.diff(slashes) != 1
    begins = slashes[np.concatenate(([True], apart))]
    ends = slashes[np.concatenate((apart, [True]))]
    escaped = ends[(ends - begins) % 2 == 0] + 1
    rest = at[~slash]
    kept: I64 = rest[~np.isin(rest, escaped, assume_unique=True)]
    return kept


def _one_a_line(octets: U8, starts: I64, braces: I64, level: I64) -> bool:
    """Does every line hold one object, from its first character to its last, spaces aside?"""
    if not level.size or level.min() < 0 or level[-1] != 0:
        return False
    last = np.flatnonzero(level == 0)
    if last.size != starts.size:
        return False
    first = np.concatenate((np.zeros(1, np.int64), last[:-1] + 1))
    stops = np.append(starts[1:], octets.size)
    if not (octets[braces[first]] == ord("{")).all() or not (braces[last] < stops).all():
        return False
    begins = _skip_spaces(octets, starts, octets.size)
    ends = _skip_spaces(octets, braces[last] + 1, octets.size)
    if begins is None or ends is None:
        return False
    return bool((begins == braces[first]).all() and (ends >= stops).all())


def _skip_spaces(octets: U8, places: I64, size: int) -> I64 | None:
    """Where the next character stands that is no space, `size` at the end; None if one is far away."""
    places = places.copy()
    moving = np.arange(places.size)
    for _ in range(_LONGEST_GAP + 1):
        moving = moving[places[moving] < size]
        moving = moving[_SPACE[octets[places[moving]]]]
        if not moving.size:
            return places
        places[moving] += 1
    return None


def _paths(data: memoryview, starts: I64, stops: I64, depth: I64) -> set[Path]:
    """The distinct paths of the keys that begin and stop at these places, at these depths."""
    if not starts.size:
        return set()
    offsets = np.empty(2 * starts.size, np.int32)
    offsets[0::2], offsets[1::2] = starts, stops
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    spans = pa.Array.from_buffers(pa.binary(), offsets.size - 1, buffers)
    every = np.arange(0, offsets.size, 2)
    index = pa.Array.from_buffers(pa.int64(), every.size, [None, pa.py_buffer(every)])
    found = spans.take(index).dictionary_encode()
    codes = np.frombuffer(found.indices.buffers()[1], np.int32)[: starts.size].astype(np.int64)
    names = [_name(raw) for raw in found.dictionary.to_pylist()]
    return _chains(codes, names, depth)


def _name(raw: bytes) -> str:
    text = raw.decode()
    if "\\" not in text:
        return text
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:  # no JSON: the parser will say so
        return text


def _chains(codes: npt.NDArray[np.int64], names: list[str], depth: I64) -> set[Path]:
    """For keys in order: the names of each and of those above it, which are the last ones less deep."""
    if depth.min() == depth.max():
        return {(name,) for name in names}
    chain = np.full(codes.size, -1, np.int64)
    paths: list[Path] = []
    order = np.arange(codes.size)
    for level in np.unique(depth)[:_DEEPEST].tolist():
        here = np.flatnonzero(depth == level)
        above = np.maximum.accumulate(np.where(depth < level, order, -1))[here]
        parents = np.where(above < 0, -1, chain[above])
        pairs, inverse = np.unique((parents + 1) * len(names) + codes[here], return_inverse=True)
        chain[here] = inverse + len(paths)
        for parent, code in zip(*divmod(pairs, len(names)), strict=True):
            paths.append((*(paths[parent - 1] if parent else ()), names[code]))
    return set(paths)
