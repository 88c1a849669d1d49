"""camt.054, Bank-to-Customer Debit/Credit Notification: single movements, or what a batch holds.

Issued by ISO 20022 (Bank-to-Customer Cash Management); every version ``.001.01`` to ``.13`` and any
national namespace. Entries are read as in camt.053; ``kind`` is ``notification``: it is recorded
and counts nothing, for the statement has the same entries (often as one batch without details).

- It has no balances, so nothing proves the sign of a reversal: its mark is kept and a finding says
  so. The account's currency is often left out; then it is the first entry's.
- ``INFO`` and ``PDNG`` say what is not booked yet; an entry without status has none.
- Swiss collections: one credit, hundreds of payments with their reference. Its type is ``QRR``
  (QR bill, 27 digits), ``ISR`` (inpayment slip, also written ``ISR Reference``) or ``SCOR``
  (ISO 11649); the QR-IBAN or the slip's participant number is in ``NtryRef``. ``?REJECT?0`` and
  its like stay in the text and hide no reference.
- The time of creation may be missing (from version 08): then it is the message's.

A good one, and a bad one:

>>> import tempfile, pathlib
>>> folder = tempfile.TemporaryDirectory()
>>> file = pathlib.Path(folder.name, "notification")
>>> _ = file.write_text('''<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.04">
... <BkToCstmrDbtCdtNtfctn><GrpHdr><MsgId>M1</MsgId></GrpHdr><Ntfctn><Id>N1</Id>
... <Acct><Id><IBAN>GB33BUKB20201555555555</IBAN></Id></Acct>
... <Ntry><Amt Ccy="CHF">30.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><NtryDtls>
... <TxDtls><Amt Ccy="CHF">10.00</Amt><RmtInf><Strd><CdtrRefInf><Tp><CdOrPrtry><Prtry>QRR</Prtry>
... </CdOrPrtry></Tp><Ref>210000000003139471430009017</Ref></CdtrRefInf></Strd></RmtInf></TxDtls>
... <TxDtls><Amt Ccy="CHF">20.00</Amt></TxDtls></NtryDtls></Ntry>
... </Ntfctn></BkToCstmrDbtCdtNtfctn></Document>''')
>>> batch, = read(file)
>>> [(str(d["amount"]), d["reference_type"]) for d in batch.details.to_pylist()]
[('10.00000', 'QRR'), ('20.00000', None)]
>>> batch.statements["kind"].to_pylist(), batch.findings
(['notification'], ())
>>> _ = file.write_text("<Document><BkToCstmrDbtCdtNtfctn><Ntfctn><Id>N1</Id></Ntf")
>>> list(read(file))
Traceback (most recent call last):
...
tieout.errors.InputError: line 1 column 58: ... [XML_TRUNCATED]
>>> folder.cleanup()
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from parsers._camt_message import messages
from parsers._camt_shapes import NOTIFICATION
from parsers._camt_shapes import identify as identify_camt
from tieout.canonical import Tables

__all__ = ["NAME", "identify", "read"]

NAME: Final = NOTIFICATION.name


def identify(head: bytes) -> str | None:
    """``camt.054.001.NN``, or ``camt.054`` where the namespace names no version, or None."""
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
    yield from messages(path, NOTIFICATION)
