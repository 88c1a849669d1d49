"""camt.053, Bank-to-Customer Statement: the booked entries of an account for one period.

Issued by ISO 20022 (Bank-to-Customer Cash Management); every version ``.001.01`` to ``.13`` and
any national namespace. Elements are found by local name, so a wrong prefix, a missing namespace, a
business header around the document or several documents in one file change nothing.

- The account holder's view: ``CRDT`` is money in (+), ``DBIT`` money out (-). With ``RvslInd`` the
  mark is the final one; where the balances prove that the bank left the mark of the entry it
  reverses, the sign is turned and a finding says so.
- A detail has its own amount or none. Only the single detail of an entry may take the entry's.
- ``NOTPROVIDED`` and its like are not data. Dates are as written; a missing one stays missing.
- Schema validity is no gate: a good part of what banks send is not valid.

A good one, and a bad one:

>>> import tempfile, pathlib
>>> folder = tempfile.TemporaryDirectory()
>>> file = pathlib.Path(folder.name, "statement")
>>> _ = file.write_text('''<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">
... <BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId></GrpHdr><Stmt><Id>S1</Id>
... <Acct><Id><IBAN>GB33BUKB20201555555555</IBAN></Id><Ccy>EUR</Ccy></Acct>
... <Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">10.00</Amt>
... <CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-20</Dt></Dt></Bal>
... <Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">7.50</Amt>
... <CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-20</Dt></Dt></Bal>
... <Ntry><Amt Ccy="EUR">2.50</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
... <BookgDt><Dt>2026-11-20</Dt></BookgDt><AddtlNtryInf>Account fee</AddtlNtryInf></Ntry>
... </Stmt></BkToCstmrStmt></Document>''')
>>> batch, = read(file)
>>> [(str(e["amount"]), e["narrative"]) for e in batch.entries.to_pylist()], batch.findings
([('-2.50000', 'Account fee')], ())
>>> _ = file.write_text("<Document><BkToCstmrStmt><Stmt><Id>S1</Id></St")
>>> list(read(file))
Traceback (most recent call last):
...
tieout.errors.InputError: line 1 column 47: ... [XML_TRUNCATED]
>>> folder.cleanup()
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from parsers._camt_message import messages
from parsers._camt_shapes import STATEMENT
from parsers._camt_shapes import identify as identify_camt
from tieout.canonical import Tables

__all__ = ["NAME", "identify", "read"]

NAME: Final = STATEMENT.name


def identify(head: bytes) -> str | None:
    """``camt.053.001.NN``, or ``camt.053`` where the namespace names no version, or None."""
    found = identify_camt(head)
    return found if found is not None and found.startswith(NAME) else None


def read(path: Path, encoding: str | None = None) -> Iterator[Tables]:
    """The file in batches of some thousand entries, with file-local ids.

    Args:
        path: the file.
        encoding: ignored; XML declares its own.

    Raises:
        InputError: ``XML_*`` where the file is unsafe, cut or damaged, ``CAMT_NO_STATEMENT``.
    """
    del encoding
    yield from messages(path, STATEMENT)
