"""Reports of the day and notifications beside the statement that books them: nothing twice."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from sqlalchemy import select

import parsers
from tests.stages.test_reruns import lay
from tieout.ledger import Ledger
from tieout.ledger.models import DetailRow, EntryRow, FileRow, StatementRow, StatementStatus
from tieout.masterdata import load_accounts, record_accounts
from tieout.stages import ingest
from tieout.stages.identities import booked_entries
from tieout.stages.recording import record_tables

CODE = "NORD-EUR-MAIN"
IBAN = "DE90901100400004718200"

_ENTRIES = """
<Ntry><Amt Ccy="EUR">100.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>
<BookgDt><Dt>2026-11-20</Dt></BookgDt><ValDt><Dt>2026-11-20</Dt></ValDt>
<AcctSvcrRef>HB-1</AcctSvcrRef>%s</Ntry>
<Ntry><Amt Ccy="EUR">30.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts>
<BookgDt><Dt>2026-11-20</Dt></BookgDt><ValDt><Dt>2026-11-20</Dt></ValDt>
<AcctSvcrRef>HB-2</AcctSvcrRef></Ntry>
"""
_PARTS = "".join(
    f'<TxDtls><Refs><EndToEndId>E-{n}</EndToEndId></Refs><Amt Ccy="EUR">50.00</Amt></TxDtls>'
    for n in (1, 2)
)
_PENDING = """
<Ntry><Amt Ccy="EUR">7.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>PDNG</Sts></Ntry>
"""


def _balance(code: str, amount: str) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='EUR'>{amount}</Amt>"
        "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-20</Dt></Dt></Bal>"
    )


def _camt(kind: str, root: str, element: str, inside: str) -> str:
    return (
        f"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.{kind}.001.08'><{root}>"
        f"<GrpHdr><MsgId>{kind}</MsgId></GrpHdr><{element}><Id>{kind}</Id>"
        f"<ElctrncSeqNb>222</ElctrncSeqNb><CreDtTm>2026-11-20T18:00:00Z</CreDtTm>"
        f"<Acct><Id><IBAN>{IBAN}</IBAN></Id><Ccy>EUR</Ccy></Acct>{inside}"
        f"</{element}></{root}></Document>"
    )


_EDGES = _balance("OPBD", "1284310.55") + _balance("CLBD", "1284380.55")
FILES = {
    "camt.053": _camt("053", "BkToCstmrStmt", "Stmt", _EDGES + _ENTRIES % ""),
    "camt.052": _camt("052", "BkToCstmrAcctRpt", "Rpt", _ENTRIES % "" + _PENDING),
    "camt.054": _camt(
        "054", "BkToCstmrDbtCdtNtfctn", "Ntfctn", _ENTRIES % f"<NtryDtls>{_PARTS}</NtryDtls>"
    ),
    "MT942": f""":20:DAY
:25:{IBAN}
:28C:222/1
:34F:EUR0,
:13D:2611201015+0000
:61:2611201120C100,NTRFNONREF//HB-1
:86:PAYMENT
:61:2611201120D30,NCHGNONREF//HB-2
:90D:1EUR30,
:90C:1EUR100,
-
""",
}


def _ingest(ledger: Ledger, home: Path, name: str) -> None:
    drop = lay(home, f"{name}.txt", FILES[name].encode())
    claimed = ingest.claim_files(ledger, drop, home, settle_seconds=0)
    assert [ingest.read_file(ledger, home, i) for i in claimed] == ["identified"]
    good = ingest.validate_files(ledger, home, claimed)
    assert good == claimed
    ingest.record_files(ledger, home, good)


@pytest.mark.parametrize("order", [tuple(FILES), tuple(reversed(FILES))], ids=["before", "after"])
def test_only_the_statement_counts(
    fresh_ledger: Ledger, tmp_path: Path, order: tuple[str, ...]
) -> None:
    for name in order:
        _ingest(fresh_ledger, tmp_path, name)
    with fresh_ledger.session() as session:
        booked = booked_entries(session, CODE, states=("accepted",))
        assert [(e.bank_ref, e.amount_minor) for e in booked] == [("HB-1", 10000), ("HB-2", -3000)]
        states = session.execute(
            select(StatementRow.kind, StatementStatus.state)
            .outerjoin(StatementStatus, StatementStatus.statement_id == StatementRow.statement_id)
            .order_by(StatementRow.kind, StatementRow.format)
        )
        assert [tuple(row) for row in states] == [
            ("booked", "accepted"),
            ("intraday", None),
            ("intraday", None),
            ("notification", None),
        ]
        assert set(session.scalars(select(FileRow.state))) == {"recorded"}
        inside = select(DetailRow.end_to_end_id, EntryRow.statement_id).join(
            EntryRow, EntryRow.entry_id == DetailRow.entry_id
        )
        found = {row[0] for row in session.execute(inside)}
    assert {"E-1", "E-2"} <= found


def test_the_rows_are_the_same_in_any_order(fresh_ledger: Ledger, tmp_path: Path) -> None:
    parsed = []
    for name, text in FILES.items():
        path = tmp_path / name
        path.write_text(text)
        parsed.append(parsers.read_file(path))
    seen = set()
    for order in itertools.permutations(parsed):
        with fresh_ledger.session() as session:
            record_accounts(session, load_accounts())
            for one in order:
                session.add(
                    FileRow(file_id=one.sha256, size=1, name="x", drop="banks", state="identified")
                )
                session.flush()
                record_tables(session, one.tables, load_accounts(), ())
            rows = select(EntryRow.entry_id, StatementRow.kind).join(
                StatementRow, StatementRow.statement_id == EntryRow.statement_id
            )
            seen.add(tuple(sorted(tuple(row) for row in session.execute(rows))))
            session.rollback()
    assert len(seen) == 1
