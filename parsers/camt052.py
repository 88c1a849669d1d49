"""camt.052, Bank-to-Customer Account Report: what an account did so far today.

Issued by ISO 20022 (Bank-to-Customer Cash Management); every version ``.001.01`` to ``.13`` and any
national namespace. Entries are read as in camt.053; ``kind`` is ``intraday``: a report is recorded
and never a link of the chain of statements, for the booked statement brings its entries again.

- ``BOOK`` beside ``PDNG``, ``INFO`` and ``FUTR`` in one report; an entry without status has none.
- Balances are interim (``ITBD``, ``ITAV``) and often missing: no finding. Where an opening and a
  closing one are there and do not tie, it is said and no more: a report may hold only what is new.
- Several reports in one file, one an account or one an hour; a report without entries is normal.
- Version 01 has ``BkToCstmrAcctRptV01``, and details without ``NtryDtls`` around them.

A good one, and a bad one:

>>> import tempfile, pathlib
>>> folder = tempfile.TemporaryDirectory()
>>> file = pathlib.Path(folder.name, "report")
>>> _ = file.write_text('''<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.052.001.08">
... <BkToCstmrAcctRpt><GrpHdr><MsgId>M1</MsgId></GrpHdr><Rpt><Id>R1</Id>
... <Acct><Id><IBAN>GB33BUKB20201555555555</IBAN></Id><Ccy>EUR</Ccy></Acct>
... <Ntry><Amt Ccy="EUR">2.50</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>PDNG</Cd></Sts>
... <AddtlNtryInf>Card payment</AddtlNtryInf></Ntry>
... </Rpt></BkToCstmrAcctRpt></Document>''')
>>> batch, = read(file)
>>> [(str(e["amount"]), e["status"], e["booked_on"]) for e in batch.entries.to_pylist()]
[('-2.50000', 'pending', None)]
>>> batch.statements["kind"].to_pylist(), batch.findings
(['intraday'], ())
>>> _ = file.write_text("<Document><BkToCstmrAcctRpt><GrpHdr/></BkToCstmrAcctRpt></Document>")
>>> list(read(file))
Traceback (most recent call last):
...
tieout.errors.InputError: Document/BkToCstmrAcctRpt: ... has no Rpt ... [CAMT_NO_STATEMENT]
>>> folder.cleanup()
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from parsers._camt_message import messages
from parsers._camt_shapes import REPORT
from parsers._camt_shapes import identify as identify_camt
from tieout.canonical import Tables

__all__ = ["NAME", "identify", "read"]

NAME: Final = REPORT.name


def identify(head: bytes) -> str | None:
    """``camt.052.001.NN``, or ``camt.052`` where the namespace names no version, or None."""
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
    yield from messages(path, REPORT)
