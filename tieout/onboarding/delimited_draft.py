"""A draft for a delimited file that no profile has: delimiter, header, columns, signs, balance."""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import parsers
from parsers import Parsed
from tieout import profiles
from tieout.errors import InputError
from tieout.money import is_currency
from tieout.onboarding.columns import column_of, running, sums_of
from tieout.onboarding.delimited_guess import Guess
from tieout.onboarding.features import best_encoding

__all__ = ["Guess", "guess", "trial"]

_DELIMITERS: Final = (";", ",", "\t", "|")
_ROWS: Final = 400
#: Of countries whose accounts are in another currency than the euro.
_CURRENCIES: Final = {
    "CH": "CHF", "CZ": "CZK", "DK": "DKK", "GB": "GBP", "HU": "HUF", "NO": "NOK", "PL": "PLN",
    "RO": "RON", "SE": "SEK",
}  # fmt: skip
#: Words of headers, by column: the first that a header has.
_HINTS: Final = (
    ("valued_on", "valut|wert|value|waluty|interest date"),
    ("end_to_end_id", "end.to.end|e2e|kundenref|eref"),
    ("mandate_id", "mandat"),
    ("counterparty_bic", "bic|swift"),
    ("counterparty_account", "iban|kontonummer|counter.?account|rachunek|tegenrekening"),
    ("counterparty_name", "name|naam|navn|beg.nstigt|auftraggeber|payee|payer|empf.nger|nazwa"),
    ("code_proprietary", "code|type|umsatzart|buchungstext|kind"),
    ("cheque_no", "che(que|ck)"),
    ("bank_ref", "bank.?ref|transaction.?(id|no)|reference"),
    ("narrative", "zweck|te[kx]st|te[kx]t|detail|descr|memo|omschrijving|tyt|narrative|mededeling"),
)  # fmt: skip


def guess(raw: bytes) -> Guess | None:
    """What a delimited file seems to say; None for any other file."""
    encoding = best_encoding(raw)
    text = raw.decode(encoding, "replace")
    best: Guess | None = None
    for delimiter in _DELIMITERS:
        found = _table(text, delimiter, encoding)
        if found is not None and (best is None or len(found.header) > len(best.header)):
            best = found
    return _settled(best) if best is not None else None


def _table(text: str, delimiter: str, encoding: str) -> Guess | None:
    """Header and rows where most rows have one width of at least three cells."""
    rows: list[tuple[int, list[str]]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((line, [cell.strip() for cell in cells]))
            line = reader.line_num + 1
            if len(rows) >= _ROWS:
                break
    except csv.Error:
        return None
    widths = Counter(len(cells) for _, cells in rows)
    if not widths:
        return None
    width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
    at = next((n for n, (_, cells) in enumerate(rows) if len(cells) == width), None)
    if (
        width < 3
        or count < 3
        or at is None
        or any(re.search(r"\d[.,/-]\d", c) for c in rows[at][1])
    ):
        return None
    body = [(number, cells) for number, cells in rows[at + 1 :] if len(cells) == width]
    before = [delimiter.join(cells) for _, cells in rows[:at]]
    return Guess(encoding, delimiter, rows[at][1], rows[at][0], body, before)


def _settled(found: Guess) -> Guess | None:
    """Columns by content, then by their headers; None where there is no day or no amount."""
    cells = [[row[at] for _, row in found.rows] for at in range(len(found.header))]
    found.kinds = [column_of(column) for column in cells]
    doubts: list[str] = []
    dates = [at for at, (kind, _) in enumerate(found.kinds) if kind == "date"]
    amounts = [at for at, (kind, _) in enumerate(found.kinds) if kind == "amount"]
    if not dates or not amounts:
        return None
    _days(found, dates, doubts)
    _amounts(found, cells, amounts, doubts)
    _account(found, cells, doubts)
    _texts(found, doubts)
    if "currency" not in found.columns:
        said = re.findall(r"\b[A-Z]{3}\b", " ".join([*found.before, *found.header]))
        country = re.search(r"\b([A-Z]{2})\d\d ?\d", " ".join(found.before))
        home = "USD" if found.dates.startswith("%m") else "EUR"
        home = _CURRENCIES.get(country[1], home) if country else home
        found.currency = next((code for code in said if is_currency(code)), home)
        doubts.append(f"is the currency {found.currency}?")
    doubts.append(
        "nothing shows the end of the file: is there a closing line ([delimited] footer)?"
    )
    found.doubts = tuple(doubts)
    return found


def _days(found: Guess, dates: Sequence[int], doubts: list[str]) -> None:
    forms = [form for form in found.kinds[dates[0]][1] if form in found.kinds[dates[-1]][1]]
    found.dates = (forms or list(found.kinds[dates[0]][1]))[0]
    if len(forms) > 1:
        doubts.append(f"dates may be {' or '.join(forms)}")
    named = [at for at in dates if re.search(_HINTS[0][1], found.header[at], re.I)]
    booked = next((at for at in dates if at not in named), dates[0])
    found.columns["booked_on"] = [found.header[booked]]
    for at in named or [d for d in dates if d != booked][:1]:
        if at != booked:
            found.columns["valued_on"] = [found.header[at]]


def _amounts(found: Guess, cells: list[list[str]], amounts: list[int], doubts: list[str]) -> None:
    decimals = [
        m for m in found.kinds[amounts[0]][1] if all(m in found.kinds[a][1] for a in amounts)
    ]
    found.decimal = decimals[0] if len(decimals) == 1 else _by_places(cells, amounts)
    if len(decimals) > 1:
        doubts.append(f"the decimal mark may be another than {found.decimal!r}")
    other = "." if found.decimal == "," else ","
    found.thousands = other if any(other in c for at in amounts for c in cells[at]) else ""
    sums = sums_of({at: cells[at] for at in amounts}, found.decimal)
    signs = _signs(found, cells)
    chain = running(sums, signs)
    header = found.header
    if chain is not None:
        found.order, balance, chosen = chain[0], chain[1], chain[2]
        found.columns["balance"] = [header[balance]]
    else:
        full = [at for at in amounts if all(cells[at])]
        chosen = tuple(full[:1]) if full else tuple(amounts[:2])
        doubts.append("no balance runs along: compare the signs of some entries with the bank")
    if len(chosen) == 2:
        found.columns |= {"debit": [header[chosen[0]]], "credit": [header[chosen[1]]]}
        if chain is None:
            doubts.append(f"is {header[chosen[0]]!r} the debit, {header[chosen[1]]!r} the credit?")
    else:
        found.columns["amount"] = [header[chosen[0]]]


def _by_places(cells: list[list[str]], amounts: Sequence[int]) -> str:
    ends = Counter(c[-3] for at in amounts for c in cells[at] if len(c) > 2 and c[-3] in ",.")
    return ends.most_common(1)[0][0] if ends else "."


def _signs(found: Guess, cells: list[list[str]]) -> list[int] | None:
    """Signs by a column of debit and credit marks, which is then named."""
    for at, (kind, _) in enumerate(found.kinds):
        if kind != "mark":
            continue
        debit = sorted({c for c in cells[at] if c.upper()[:1] in "DSA-" and c})
        credit = sorted({c for c in cells[at] if c and c not in debit})
        found.marks = {k: v for k, v in (("debit", debit), ("credit", credit)) if v}
        found.columns["mark"] = [found.header[at]]
        return [-1 if c in debit else 1 for c in cells[at]]
    return None


def _texts(found: Guess, doubts: list[str]) -> None:
    """The other columns by their headers; what no header tells is narrative."""
    used = {head for heads in found.columns.values() for head in heads}
    for at, (kind, _) in enumerate(found.kinds):
        head = found.header[at]
        if head in used or not head or kind in ("date", "amount", "mark"):
            continue
        if kind == "currency":
            found.columns.setdefault("currency", [head])
            continue
        column = {"iban": "counterparty_account", "bic": "counterparty_bic"}.get(kind)
        if column is None:
            column = next((c for c, words in _HINTS if re.search(words, head, re.I)), None)
        if column is None or (column in found.columns and column != "narrative"):
            if kind != "empty":
                doubts.append(f"what is {head!r}? It is read into the narrative")
                column = "narrative"
            else:
                continue
        found.columns.setdefault(column, []).append(head)


def _account(found: Guess, cells: list[list[str]], doubts: list[str]) -> None:
    """The account: a preamble line, or a column with one value."""
    for line in found.before:
        match = re.search(r"[A-Z]{2}\d\d(?: ?[A-Z0-9]{2,4}){3,8}", line)
        if match is not None:
            start = re.escape(re.split(r'[;,\t|"0-9]', line.lstrip('"'))[0])
            found.account = (
                "preamble",
                start + r"[^A-Z0-9]*(?P<account_id>[A-Z]{2}\d\d[A-Z0-9 ]+)",
            )
            return
    for at, head in enumerate(found.header):
        own = re.search(r"^(own )?account|auftragskonto|rekening$|konto$", head, re.I)
        if own and len(set(cells[at])) == 1 and found.kinds[at][0] in ("iban", "number", "text"):
            found.columns = {
                column: [h for h in heads if h != head] for column, heads in found.columns.items()
            }
            found.columns = {column: heads for column, heads in found.columns.items() if heads}
            found.columns["account_id"] = [head]
            return
    doubts.append("the file does not name its account: give account_id")


def trial(path: Path, name: str, draft: str) -> Parsed | None:
    """The sample read with the draft; None where it does not read it."""
    try:
        with profiles.trial("banks", name, tomllib.loads(draft)):
            return parsers.read_file(path)
    except InputError:
        return None
