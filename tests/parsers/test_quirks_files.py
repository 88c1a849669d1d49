"""Quirks of the other formats that no other test holds; `quirks` says which test proves what."""

from __future__ import annotations

from pathlib import Path

import pytest

import parsers
from tests.parsers.columns import cfonb, cfonb_file
from tests.parsers.pain import payments, report, sent, statuses, transaction, transfer
from tests.parsers.reading import SAMPLES, codes, read, refusal
from tests.parsers.test_containers import tarred

_TIFF = b"II*\x00\x08\x00\x00\x00" + bytes(500)


def test_pictures_beside_the_statements_stop_nothing(tmp_path: Path) -> None:
    path = tmp_path / "drop"
    xml = (SAMPLES / "batch_v08.xml").read_bytes()
    path.write_bytes(tarred(("scan.tif", _TIFF), ("a.xml", xml), ("b.tif", _TIFF), mode="w:gz"))
    read_, refused = [], []
    with parsers.opened(path, tmp_path) as found:
        contents = [member.path.read_bytes() for member in found]
    for content in contents:
        if content == _TIFF:
            refused.append(refusal(tmp_path, content).code)
        else:
            read_.append(read(tmp_path, content).format)
    assert (read_, refused) == (["camt.053.001.08"], ["FORMAT_UNKNOWN"] * 2)


# namespace -> format
SPACES = """
urn:iso:std:iso:20022:tech:xsd:pain.001.001.09                                | pain.001.001.09
urn:sepade:xsd:pain.001.001.02                                                | pain.001.001.02
urn:swift:xsd:$pain.001.002.02                                                | pain.001.002.02
urn:iso:std:iso:20022:tech:xsd:pain.001.002.03                                | pain.001.002.03
urn:iso:std:iso:20022:tech:xsd:pain.001.003.03                                | pain.001.003.03
http://www.six-interbank-clearing.com/de/pain.001.001.03.ch.02.xsd            | pain.001.001.03
http://www.six-interbank-clearing.com/de/pain.002.001.03.ch.02.xsd            | pain.002.001.03
urn:iso:std:iso:20022:tech:xsd:pain.002.001.10                                | pain.002.001.10
urn:swift:xsd:$pain.002.002.02                                                | pain.002.002.02
"""


@pytest.mark.parametrize("case", SPACES.strip().splitlines())
def test_payment_namespaces(tmp_path: Path, case: str) -> None:
    space, wanted = (cell.strip() for cell in case.split("|"))
    raw = sent(transfer()) if "pain.001" in wanted else report(transaction())
    start = raw.index("xmlns=")
    end = raw.index(">", start)
    parsed = read(tmp_path, f"{raw[:start]}xmlns='{space}'{raw[end:]}")
    assert parsed.format.startswith(wanted)
    assert len(payments(parsed)) + len(statuses(parsed)) >= 1


def test_signs_in_columns_that_are_reserved(tmp_path: Path) -> None:
    line = cfonb("04", 1250, text="CARD PAYMENT")
    odd = line[:104] + ".;-*'/,:+&()!?#%"
    assert len(odd) == 120
    amounts = []
    for each in (line, odd):
        parsed = read(tmp_path, cfonb_file(each, closing=10_000 + 1250))
        assert [c for c in codes(parsed) if c != "ENTRY_UNREADABLE"] == codes(parsed)
        amounts.append(parsed.tables.entries["amount"].to_pylist())
    assert amounts[0] == amounts[1]
    assert len(amounts[0]) == 1
