"""What SAP's masters rule out is refused before anything is sent, naming the mapping's line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from tests.connectors.books import outcome
from tests.connectors.rigs.sap import DAY, SapRig, connector_to, mapping, open_rig
from tieout.connectors.ports import Journal, JournalLine, Liability


@pytest.fixture(scope="module")
def rig() -> Iterator[SapRig]:
    with open_rig() as opened:
        yield opened


def entry(*lines: tuple[str, int, str | None], **changes: Any) -> Journal:
    """A journal of (GL account, signed amount, party) lines."""
    made = tuple(
        JournalLine(account, max(amount, 0), max(-amount, 0), party=party)
        for account, amount, party in lines
    )
    journal = Journal("REFUSED", "NORD", "bank", DAY, "Charges", "EUR", made)
    return replace(journal, **changes)


def fee(account: str = "65100000", **changes: Any) -> Journal:
    return entry((account, 350, None), ("11001000", -350, None), **changes)


def owed(account: str, party: str | None) -> Journal:
    return entry(("11001000", 350, None), (account, -350, party))


def invoice(party: str, account: str = "21300000", **changes: Any) -> Journal:
    liability = replace(
        Liability(party, "employee", "RPT-1", DAY, DAY + timedelta(days=14)), **changes
    )
    return entry(("61003000", 350, None), (account, -350, None), liability=liability)


CASES: list[tuple[Journal, str]] = [
    (fee("99999999"), "GL_ACCOUNT_UNKNOWN"),
    (fee("0065100000"), "GL_ACCOUNT_UNKNOWN"),
    (fee("65190000"), "GL_ACCOUNT_BLOCKED"),
    (fee(company="1010"), "COMPANY_OTHER"),
    (fee(currency="CHF"), "CURRENCY_OTHER"),
    (fee(journal_code="no such journal"), "JOURNAL_UNKNOWN"),
    (fee(external_ref="lower"), "REFERENCE_MALFORMED"),
    (fee(external_ref="SEVENTEENLETTERSX"), "REFERENCE_MALFORMED"),
    (fee(external_ref="O'NEILL"), "REFERENCE_MALFORMED"),
    (fee(lines=()), "UNBALANCED"),
    (entry(("65100000", 350, None), ("11001000", -349, None)), "UNBALANCED"),
    (entry(("65100000", 0, None), ("11001000", 0, None)), "LINE_SIDES"),
    (owed("21100000", None), "PARTY_MISSING"),
    (owed("21100000", "10399999"), "PARTY_UNKNOWN"),
    (owed("21100000", "Nobody's Sons & Co"), "PARTY_UNKNOWN"),
    (owed("21100000", "10300002"), "PARTY_BLOCKED"),
    (owed("21300000", "10300001"), "PARTY_ACCOUNT_OTHER"),
    (invoice("90000009"), "PARTY_UNKNOWN"),
    (invoice("90000001", "19990000"), "PARTY_ACCOUNT_OTHER"),
    (invoice("90000001", due_on=DAY - timedelta(days=1)), "DUE_BEFORE_INVOICE"),
    (invoice("90000001", invoice_no=""), "TEXT_TOO_LONG"),
    (invoice("90000001", invoice_no="RPT-1\n"), "TEXT_TOO_LONG"),
    (fee("61003000", booked_on=date(2026, 3, 2)), "COST_CENTER_INVALID"),
    (fee(reverses="4711"), "DOCUMENT_UNKNOWN"),
    (fee(reverses="2020/2026/0100000000"), "DOCUMENT_UNKNOWN"),
]


@pytest.mark.parametrize(
    ("journal", "code"), CASES, ids=[f"{place:02d}-{c}" for place, (_, c) in enumerate(CASES)]
)
def test_refused_before_anything_is_sent(rig: SapRig, journal: Journal, code: str) -> None:
    refused = rig.connector.create(journal)
    assert outcome(refused) == ("REJECT", code), refused
    assert refused.message
    assert refused.response_sha256 == ""
    assert "create" not in rig.tenant.plan.seen()


def with_dimension(**dimensions: Any) -> dict[str, Any]:
    content = mapping()
    content["dimensions"] |= dimensions
    return content


@pytest.mark.parametrize(
    ("center", "code"),
    [
        ("10109999", "COST_CENTER_UNKNOWN"),
        ("10101901", "COST_CENTER_BLOCKED"),
        ("", "COST_CENTER_MISSING"),
    ],
)
def test_a_cost_center_that_cannot_carry_it_is_refused(rig: SapRig, center: str, code: str) -> None:
    connector = connector_to(rig.address, content=with_dimension(cost_center=center))
    try:
        assert outcome(connector.create(fee())) == ("REJECT", code)
    finally:
        connector.close()


def test_a_refusal_names_the_line_of_the_mapping(
    rig: SapRig, tmp_path: Any, monkeypatch: Any
) -> None:
    """The account is wrong in the mapping: its line is named, with its section and key."""
    folder = tmp_path / "erp"
    folder.mkdir()
    (folder / "sap.toml").write_text(
        '[company]\ncompany_code = "1010"\n[accounts]\nbank_charges = "65109999"\n'
        '[dimensions]\ncost_center = "10109999"\n'
    )
    content = with_dimension(cost_center="10109999")
    monkeypatch.setenv("TIEOUT_MAPPINGS", str(tmp_path))
    refused = rig.connector.create(fee("65109999"))
    assert refused.message == (
        "mappings/erp/sap.toml:4 [accounts] bank_charges: SAP has no GL account '65109999' in the "
        "company's chart (correct it there) [GL_ACCOUNT_UNKNOWN]"
    )
    connector = connector_to(rig.address, content=content)
    refused = connector.create(fee())
    connector.close()
    assert "mappings/erp/sap.toml:6 [dimensions] cost_center" in refused.message


def test_masters_that_cannot_be_read_send_nothing() -> None:
    with open_rig() as rig:
        for fault, told in (
            ("no effect", "NOT_SENT"),
            ("maintenance", "NOT_SENT"),
            ("throttle", "THROTTLED"),
        ):
            rig.fault("masters", fault)
            assert rig.connector.create(fee()).outcome == told
        assert "create" not in rig.tenant.plan.seen()
        assert rig.connector.create(fee()).outcome == "OK"


def test_masters_are_asked_once() -> None:
    with open_rig() as rig:
        rig.connector.create(fee(external_ref="ONE"))
        asked = rig.tenant.plan.seen()["masters"]
        rig.connector.create(fee(external_ref="TWO"))
        assert rig.tenant.plan.seen()["masters"] == asked


def test_a_party_may_be_named_by_its_name() -> None:
    with open_rig() as rig:
        delivery = rig.connector.create(owed("21100000", "Great Plains Bearings Inc"))
        assert outcome(delivery) == ("OK", "POSTED")
        (document,) = rig.books("REFUSED")
        assert {line.party for line in document.lines} == {None, "10300001"}


def test_a_tax_code_travels_with_its_base() -> None:
    with open_rig() as rig:
        content = with_dimension(tax_codes={"61003000": "V0"})
        connector = connector_to(rig.address, content=content)
        delivery = connector.create(fee("61003000"))
        assert outcome(delivery) == ("OK", "POSTED"), delivery
        document = connector.read(delivery.doc_id or "")
        connector.close()
        assert document is not None
        assert [line.gl_account for line in document.lines] == ["61003000", "11001000"]
        (within,) = rig.tenant.documents("REFUSED")
        assert [item.tax_code for item in within.items] == ["V0", "", "V0"]
