"""Number ranges of an ERP, learned from its open documents, and what free text says of them.

A text that states a number of one of the ranges speaks of that document. If it is not the one an
amount and a party point to, nor nearly so (a digit wrong, or cut off), they are not what was paid.
"""

from __future__ import annotations

import re
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from tieout.arrays import handles
from tieout.matching.normal import fold, shapes

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute

__all__ = ["learn", "speaks_against"]

Flags = npt.NDArray[np.bool_]

#: Fewer documents of one form are no range.
_SUPPORT: Final = 5
_RANGES_MAX: Final = 40
#: Forms with fewer digits in a row are found in any text.
_DIGITS_MIN: Final = 5
_LONGEST: Final = 35


def learn(numbers: Any) -> tuple[str, ...]:
    """Patterns of the number ranges among document numbers (null where there is none), ordered.

    >>> learn(pa.array([f"RE-2026-{n:05d}" for n in range(7)] + ["x", None]))
    ('RE-2026-\\\\d{5}',)
    """
    texts = numbers.combine_chunks() if isinstance(numbers, pa.ChunkedArray) else numbers
    plain = pc.utf8_upper(texts.drop_null())
    if not len(plain):
        return ()
    coded = shapes(plain)
    names = coded.dictionary.to_pylist()
    index = coded.indices.to_numpy(zero_copy_only=False)
    counts = np.bincount(index, minlength=len(names))
    ranges = [
        (-int(counts[place]), shape, place)
        for place, shape in enumerate(names)
        if counts[place] >= _SUPPORT and "0" * _DIGITS_MIN in shape and len(shape) <= _LONGEST
    ]
    found = []
    for _, shape, place in sorted(ranges)[:_RANGES_MAX]:
        own = plain.take(handles(np.flatnonzero(index == place)))
        limits = pc.min_max(own).as_py()
        low, high = limits["min"], limits["max"]
        same = next((k for k in range(len(shape)) if low[k] != high[k]), len(shape))
        found.append(_pattern(low[:same], shape[same:]))
    return tuple(sorted(found))


def _pattern(head: str, rest: str) -> str:
    tail = re.sub("0+", lambda run: f"\\d{{{len(run[0])}}}", re.escape(rest))
    return re.escape(head).replace("\\-", "-").replace("/", "/") + tail.replace("\\-", "-")


def speaks_against(
    db: duckdb.DuckDBPyConnection, ranges: tuple[str, ...], texts: Any, documents: Any
) -> Flags:
    """Rows whose text states numbers of the ranges, none of which is nearly the document.

    Args:
        ranges: from `learn`.
        texts: free text, null where there is none.
        documents: the document's number, null where it has none.
    """
    against = np.zeros(len(texts), dtype=bool)
    if not ranges or not len(texts):
        return against
    pattern = "|".join(ranges).replace("'", "''")
    plain, _ = fold(pc.fill_null(documents, ""))
    columns: dict[str, Any] = {"row": np.arange(len(texts)), "text": texts, "document": plain}
    db.register("stating", pa.table(columns))
    rows = db.sql(
        "WITH said AS (SELECT row, document, regexp_replace(unnest(regexp_extract_all("
        f"upper(text), '(?:^|[^0-9A-Z])({pattern})(?:[^0-9]|$)', 1)), '[^0-9A-Z]', '', 'g')\n"
        "  AS number FROM stating WHERE text IS NOT NULL)\n"
        "SELECT row FROM said GROUP BY row HAVING NOT bool_or(document <> '' AND (\n"
        "  damerau_levenshtein(number, document) <= 2 OR starts_with(document, number)\n"
        "  OR starts_with(number, document))) ORDER BY row"
    ).to_arrow_table()["row"]
    db.unregister("stating")
    against[rows.to_numpy()] = True
    return against
