"""Check digits of the references that statements carry: wrong ones are findings, and stay."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers._checks import all_right, checked
from parsers._rows import Rows
from tests.parsers.columns import cfonb, cfonb_file
from tests.parsers.isr import ref
from tests.parsers.reading import codes, read

_ENTRY = (
    "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.054.001.08'><BkToCstmrDbtCdtNtfctn>"
    "<Ntfctn><Id>N</Id><Acct><Id><Othr><Id>1</Id></Othr></Id><Ccy>CHF</Ccy></Acct><Ntry>"
    "<Amt Ccy='CHF'>10.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><NtryDtls>"
    "<TxDtls><Amt Ccy='CHF'>10.00</Amt><RmtInf><Strd><CdtrRefInf>{}</CdtrRefInf></Strd></RmtInf>"
    "</TxDtls></NtryDtls></Ntry></Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"
)

REFERENCES = """
# type as the bank states it, issuer, reference | type, finding
Prtry QRR              -   261120000000000000000047113 | QRR -
Prtry QRR              -   261120000000000000000047114 | QRR REFERENCE_CHECK
Prtry QRR              -   4711000000202619            | QRR REFERENCE_CHECK
Prtry ISR-Reference    -   4711000000202619            | ISR -
Prtry ISR              -   4711000000202619            | ISR -
Prtry ESR              -   210000000000000000000041792 | ISR -
Prtry BVR              -   210000000000000000000041791 | ISR REFERENCE_CHECK
Cd    SCOR             -   RF58NORD20264711            | SCOR -
Cd    SCOR             ISO RF58NORD20264712            | SCOR REFERENCE_CHECK
Cd    SCOR             -   INVOICE-4711                | SCOR -
Cd    SCOR             -   RFQ-4711                    | SCOR -
Cd    SCOR             BBA 471100202619                | BBA -
Cd    SCOR             BBA 471100202618                | BBA REFERENCE_CHECK
Prtry OWN              -   4711                        | OWN -
"""


@pytest.mark.parametrize("line", [t for t in REFERENCES.strip().splitlines() if t[0] != "#"])
def test_camt(tmp_path: Path, line: str) -> None:
    written, _, wanted = line.partition("|")
    tag, stated, issuer, ref = written.split()
    issued = "" if issuer == "-" else f"<Issr>{issuer}</Issr>"
    kind = f"<Tp><CdOrPrtry><{tag}>{stated}</{tag}></CdOrPrtry>{issued}</Tp>"
    parsed = read(tmp_path, _ENTRY.format(f"{kind}<Ref>{ref}</Ref>"))
    (detail,) = parsed.tables.details.to_pylist()
    found = f"{detail['reference_type']} {' '.join(codes(parsed)) or '-'}"
    assert found == wanted.strip()
    assert detail["reference"] == ref
    for finding in parsed.tables.findings:
        assert ref in finding.message and finding.where.startswith("line ")


@pytest.mark.parametrize(
    ("ref", "kind", "findings"),
    [
        ("RF58NORD20264711", "SCOR", []),
        ("RF58NORD20264712", "SCOR", ["REFERENCE_CHECK"]),
        ("FACTURE 4711", None, []),
    ],
)
def test_cfonb(tmp_path: Path, ref: str, kind: str | None, findings: list[str]) -> None:
    more = cfonb("05", kind="LCS", text=ref.ljust(35))
    parsed = read(tmp_path, cfonb_file(cfonb("04", 100), more, closing=10_100))
    assert codes(parsed) == findings
    (detail,) = parsed.tables.details.to_pylist()
    assert (detail["reference"], detail["reference_type"]) == (ref, kind)


_TEXTS = st.text("RF0123456789abBA ٣-", max_size=28) | st.sampled_from(
    ["261120000000000000000047113", "RF58NORD20264711", "471100202619", "4711000000202619"]
)


@given(st.lists(st.tuples(_TEXTS, st.sampled_from(["QRR", "ISR", "SCOR", "BBA", "OWN", None]))))
def test_a_column_is_right_where_each_of_it_is(rows: list[tuple[str, str | None]]) -> None:
    found = Rows()
    for text, kind in rows:
        checked(text, kind, "here", found)
    texts: list[str | None] = [text for text, _ in rows]
    assert all_right([*texts, None], [*(kind for _, kind in rows), "QRR"]) == (not found.findings)


def test_a_column_of_many_is_checked_quickly() -> None:
    texts: list[str | None] = [ref(number) for number in range(2_000)] * 50
    started = time.process_time()
    assert all_right(texts, ["QRR"] * len(texts))
    assert time.process_time() - started < 1
    wrong = str(texts[-1])[:-1] + str((int(str(texts[-1])[-1]) + 1) % 10)
    assert not all_right([*texts[:-1], wrong], ["QRR"] * len(texts))
