"""References as numbers: every field's normal forms, each with a 64-bit code.

A field is read once a run: its values brought to their normal form (`tieout.references.normalise`,
on the column's bytes) and hashed. Rungs then compare codes; texts are compared again where two
codes met, and told as evidence.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from tieout.arrays import handles
from tieout.matching.columns import Columns
from tieout.matching.known_numbers import Numbers, find_known
from tieout.matching.ladder import BANK_ENTRY, TEXT, Key
from tieout.matching.normal import fold, tail_digits
from tieout.matching.number_series import expanded
from tieout.matching.stated import Stated, Texts, merged
from tieout.matching.structured_column import structured_forms
from tieout.matching.tables import Prepared
from tieout.references import SENTINELS

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute

__all__ = ["References", "codes_of"]

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

_NO_ROWS: Final = np.zeros(0, dtype="int64")
_NO_CODES: Final = np.zeros(0, dtype="uint64")
#: What may be a reference with check digits that speaks for itself.
_STRUCTURED: Final = r"^ *([Rr][Ff] ?[0-9]{2}|[+*]|[0-9][0-9 ]{26,34} *$|([0-9]/?){12} *$)"
#: Free text is not searched for shorter numbers.
_SHORTEST: Final = 5


def codes_of(db: duckdb.DuckDBPyConnection, texts: Any) -> Codes:
    """A 64-bit code for each text."""
    if not len(texts):
        return _NO_CODES
    db.register("texts", pa.Table.from_arrays([texts], ["text"]))
    codes = db.sql("SELECT hash(text) AS code FROM texts").to_arrow_table()["code"]
    db.unregister("texts")
    made: Codes = codes.to_numpy()
    return made


class References:
    """All references of the prepared tables, read when first asked for.

    What is read is what is open at that time; what is open only ever shrinks.
    """

    def __init__(
        self, db: duckdb.DuckDBPyConnection, prepared: Prepared, keys: Iterable[Key] = ()
    ) -> None:
        """References of the tables; ``keys`` are all that will be asked for, where that is known:
        free text is then searched once for the numbers of all of them."""
        self.texts = Texts()
        self._searched = tuple(key for key in keys if key.text and not key.patterns)
        self._db = db
        self._prepared = prepared
        self._known: dict[tuple[str, str, str], tuple[Stated, int]] = {}
        self._numbers: dict[str, Numbers] = {}
        self._sentinels = codes_of(db, pa.array(sorted(SENTINELS), pa.string()))

    def forget(self) -> None:
        """Let go of the columns read, but not of the texts groups are named by."""
        self._known.clear()
        self._numbers.clear()

    def books(self, keys: Iterable[Key], wanted: Flags, open_items: Flags) -> Stated:
        """What the wanted items (some of the open ones) state under the keys."""
        parts = []
        for key in keys:
            for field in key.books:
                stated = self._field("items", field, key, open_items)
                parts.append(stated.where(wanted[stated.row]))
        return merged(parts)

    def bank(
        self, keys: Iterable[Key], level: str, open_entries: Flags, open_items: Flags
    ) -> Stated:
        """What open entries or details state under the keys.

        Args:
            keys: the rung's.
            level: ``single`` (entries; a detail's references where it is the only one),
                ``entries`` (all references of all details count as the entry's) or ``details``
                (of entries that have several).
            open_entries: by entry handle.
            open_items: by item handle; their numbers are looked for in free text.
        """
        parts = []
        details = self._prepared.details
        eid, fanout = details.numbers["eid"], details.numbers["fanout"]
        open_details = open_entries[eid]
        if level != "entries":
            wanted = open_details & ((fanout == 1) == (level == "single"))
        else:
            wanted = open_details
        searched: set[str] = set()
        for key in keys:
            for field in (*key.bank, *key.text):
                if key in self._searched and field in TEXT:
                    if field in searched:
                        continue  # found with the numbers of all keys at once
                    searched.add(field)
                if field in (*BANK_ENTRY, *TEXT) and level != "details":
                    stated = self._seen("entries", field, key, open_entries, open_items)
                    parts.append(stated.where(open_entries[stated.row]))
                if field not in BANK_ENTRY:
                    stated = self._seen("details", field, key, open_details, open_items)
                    stated = stated.where(wanted[stated.row])
                    parts.append(stated if level == "details" else stated.on(eid))
        self._numbers.clear()  # all free text has been searched for them
        return merged(parts)

    def _seen(
        self, table: str, field: str, key: Key, open_rows: Flags, open_items: Flags
    ) -> Stated:
        if field not in TEXT:
            return self._field(table, field, key, open_rows)
        keys = self._searched if key in self._searched else (key,)
        name = (table, field, " ".join(k.name for k in keys))
        if name not in self._known:
            found = self._free_text(table, field, keys, open_rows, open_items)
            self._keep(name, found, open_rows)
        return self._open(name, open_rows)  # numbers of other keys meet no item of this rung's

    def _field(self, table: str, field: str, key: Key, open_rows: Flags) -> Stated:
        """A field's normal forms, long enough and not what banks write for none."""
        name = (table, field, f"{key.form} {key.length_min}")
        if name not in self._known:
            self._keep(name, self._read(table, field, key, open_rows), open_rows)
        return self._open(name, open_rows)

    def _keep(self, name: tuple[str, str, str], stated: Stated, open_rows: Flags) -> None:
        self._known[name] = stated, int(np.count_nonzero(open_rows))

    def _open(self, name: tuple[str, str, str], open_rows: Flags) -> Stated:
        """What was read before; what is no longer open is let go of once it is a quarter."""
        stated, count = self._known[name]
        if 4 * np.count_nonzero(open_rows) < 3 * count:
            self._keep(name, stated.where(open_rows[stated.row]), open_rows)
        return self._known[name][0]

    def _read(self, table: str, field: str, key: Key, open_rows: Flags) -> Stated:
        if f"{table}.{field}" in self._prepared.absent:
            return merged([])
        columns: Columns = getattr(self._prepared, table)
        rows, column = columns.known(field, open_rows)
        if pa.types.is_list(column.type):
            rows = rows[pc.list_parent_indices(column).to_numpy()]
            column = pc.list_flatten(column)
            if column.null_count:
                known = np.asarray(column.is_valid().to_numpy(zero_copy_only=False), dtype=bool)
                rows, column = rows[known], column.drop_null()
        if key.form == "structured":
            return self._structured(rows, column)
        return self._sound(rows, column, key)

    def _sound(self, rows: Ints, column: Any, key: Key) -> Stated:
        """In the normal form, long enough, and not what banks write for none."""
        texts, lengths = fold(column)
        codes = codes_of(self._db, texts)
        keep = lengths >= key.length_min
        for code in self._sentinels:
            keep &= codes != code
        if key.form == "number":
            return self._number(rows, texts, keep, key)
        place = np.arange(len(rows)) + self.texts.add(texts)
        return Stated(rows, codes, place).where(keep)

    def _number(self, rows: Ints, texts: Any, keep: Flags, key: Key) -> Stated:
        """References that end in digits, as those digits without leading zeros."""
        at = np.flatnonzero(keep & tail_digits(texts, key.length_min))
        texts = texts.take(handles(at))
        tails = pc.extract_regex(texts, r"(?P<tail>[1-9][0-9]*)$").field("tail")
        long = pc.fill_null(pc.greater_equal(pc.binary_length(tails), key.length_min), False)
        kept = np.flatnonzero(np.asarray(long.to_numpy(zero_copy_only=False), dtype=bool))
        return self._told(rows[at[kept]], tails.take(handles(kept)))

    def _told(self, rows: Ints, texts: Any) -> Stated:
        place = np.arange(len(rows)) + self.texts.add(texts)
        return Stated(rows, codes_of(self._db, texts), place)

    def _structured(self, rows: Ints, column: Any) -> Stated:
        """References whose check digits are right, in the one form of their kind."""
        likely = pc.match_substring_regex(column, _STRUCTURED)
        at = np.flatnonzero(np.asarray(likely.to_numpy(zero_copy_only=False), dtype=bool))
        rows, column = rows[at], column.take(handles(at))
        at, forms = structured_forms(column)
        return self._told(rows[at], forms) if len(at) else merged([])

    def _free_text(
        self,
        table: str,
        field: str,
        keys: tuple[Key, ...],
        open_rows: Flags,
        open_items: Flags,
    ) -> Stated:
        """References in free text, each distinct text read once."""
        if f"{table}.{field}" in self._prepared.absent:
            return merged([])
        columns: Columns = getattr(self._prepared, table)
        rows, column = columns.known(field, open_rows)
        coded = column.dictionary_encode()
        if not len(coded.dictionary):
            return merged([])
        if keys[0].patterns:
            which, texts = self._patterned(coded.dictionary, keys[0])
        else:
            which, texts = self._known_numbers(expanded(coded.dictionary), keys, open_items)
        stated = self._told(which, texts)
        number = coded.indices.to_numpy(zero_copy_only=False)
        counts = np.bincount(which, minlength=len(coded.dictionary))
        firsts = np.cumsum(counts) - counts
        some = np.flatnonzero(counts[number] > 0)
        often = counts[number[some]]
        within = np.arange(int(often.sum())) - np.repeat(np.cumsum(often) - often, often)
        at = np.repeat(firsts[number[some]], often) + within
        return Stated(np.repeat(rows[some], often), stated.code[at], stated.place[at])

    def _patterned(self, texts: Any, key: Key) -> tuple[Ints, Any]:
        """Numbers that look as the key's patterns say, also over line breaks: (text, number)."""
        pattern = "|".join(f"(?:{p})" for p in key.patterns).replace("'", "''")
        hits = f"regexp_extract_all(upper(text), '{pattern}')"
        one_line = "regexp_replace(upper(text), '[\\r\\n]+', '', 'g')"
        joined = f"list_concat({hits}, regexp_extract_all({one_line}, '{pattern}'))"
        both = f"CASE WHEN contains(text, chr(10)) THEN {joined} ELSE {hits} END"
        numbered: dict[str, Any] = {"row": np.arange(len(texts)), "text": texts}
        self._db.register("free_texts", pa.table(numbered))
        found = self._db.sql(
            f"SELECT DISTINCT row, unnest({both}) AS hit FROM free_texts ORDER BY row, hit"
        ).to_arrow_table()
        self._db.unregister("free_texts")
        plain, lengths = fold(found["hit"].cast(pa.string()).combine_chunks())
        keep = lengths >= key.length_min
        for code in self._sentinels:
            keep &= codes_of(self._db, plain) != code
        at = np.flatnonzero(keep)
        return found["row"].to_numpy()[at], plain.take(handles(at))

    def _known_numbers(
        self, texts: Any, keys: tuple[Key, ...], open_items: Flags
    ) -> tuple[Ints, Any]:
        """The items' own numbers, however they are split there: (text, number)."""
        name = " ".join(key.name for key in keys)
        if name not in self._numbers:  # what is open only shrinks, so these stay enough
            stated = self.books(keys, open_items, open_items)
            order = np.argsort(stated.code)
            new = np.ones(len(order), dtype=bool)
            new[1:] = stated.code[order[1:]] != stated.code[order[:-1]]
            firsts = np.flatnonzero(new)
            places = np.minimum.reduceat(stated.place[order], firsts) if len(order) else order
            known = self.texts.take(np.sort(places))
            if len(known):
                known = known.filter(pc.greater_equal(pc.binary_length(known), _SHORTEST))
            self._numbers[name] = Numbers.of(known)
        numbers = self._numbers[name]
        which, number = find_known(texts, numbers)
        return which, numbers.texts.take(handles(number))
