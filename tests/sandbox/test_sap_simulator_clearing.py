"""Clearing at the SAP simulator: only lines that are open and kept as open items, in full."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sandbox.simulators.sap import SapSimulator, simulator
from sandbox.simulators.sap_seed import seed_line

SFIN = "http://sap.com/xi/SAPSCORE/SFIN"
#: The customer's invoice of the seed, and a payment on account booked beside it.
INVOICE = ("D", "10100001", "5000000002", "1")
IN_TRANSIT = (("S", "0011001010", "5000000004", "2"), ("S", "0011001010", "5000000005", "1"))


@pytest.fixture
def tenant() -> SapSimulator:
    return simulator()


def line(kind: str, account: str, document: str, item: str, more: str = "") -> str:
    named = (
        f"<GLAccount>{account}</GLAccount>"
        if kind == "S"
        else f"<AccountType>{kind}</AccountType><APARAccount>{account}</APARAccount>"
    )
    tag = "GLItems" if kind == "S" else "APARItems"
    return (
        f"<{tag}>{named}<FiscalYear>2026</FiscalYear>"
        f"<AccountingDocument>{document}</AccountingDocument>"
        f"<AccountingDocumentItem>{item}</AccountingDocumentItem>{more}</{tag}>"
    )


def clearing(*lines: str, name: str = "CLEAR", rehearse: bool = False, **other: str) -> bytes:
    flag = "<TestDataIndicator>true</TestDataIndicator>" if rehearse else ""
    header = (
        f"<MessageHeader><ID>{name}</ID><CreationDateTime>2026-11-20T00:00:00Z</CreationDateTime>"
        f"{flag}</MessageHeader>"
    )
    on, company = other.get("on", "2026-11-20"), other.get("company", "1010")
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f'<f:JournalEntryBulkClearingRequest xmlns:f="{SFIN}">{header}'
        f"<JournalEntryClearingRequest>{header}<JournalEntry><CompanyCode>{company}</CompanyCode>"
        f"<AccountingDocumentType>AB</AccountingDocumentType><DocumentDate>{on}</DocumentDate>"
        f"<PostingDate>{on}</PostingDate><CurrencyCode>{other.get('currency', 'EUR')}"
        f"</CurrencyCode><ReferenceDocument>{name}</ReferenceDocument>{''.join(lines)}"
        "</JournalEntry></JournalEntryClearingRequest></f:JournalEntryBulkClearingRequest>"
        "</s:Body></s:Envelope>"
    ).encode()


def worked(tenant: SapSimulator, body: bytes) -> tuple[str, str]:
    """The state the message ends in, and the callback that tells of it."""
    tenant.inbox.take("Clearing", body)
    tenant.inbox.work()
    (state,) = tenant.inbox.parcels[-1].states.values()
    return state, tenant.inbox.callbacks[-1].decode() if tenant.inbox.callbacks else ""


def test_lines_of_one_account_are_cleared_by_a_document_of_their_own(tenant: SapSimulator) -> None:
    state, told = worked(tenant, clearing(*(line(*one) for one in IN_TRANSIT)))
    assert state == "successful"
    assert "<AccountingDocument>0100000000</AccountingDocument>" in told
    (document,) = tenant.documents("CLEAR")
    assert document.clearing
    assert sum((item.amount for item in document.items), Decimal(0)) == 0
    for _, _, number, item in IN_TRANSIT:
        cleared = tenant.ledger.documents["2026", number]
        assert cleared.items[int(item) - 1].cleared_by == document.key
        assert cleared.changed_on == tenant.clock.now().date()


def test_a_customer_s_payment_clears_the_invoice(tenant: SapSimulator) -> None:
    payment = seed_line(tenant.ledger, "D", "10100001", "-500.00", "11001000")
    lines = line(*INVOICE), line("D", "10100001", payment.number, "1")
    assert worked(tenant, clearing(*lines))[0] == "successful"
    again = worked(tenant, clearing(*lines, name="AGAIN"))
    assert again[0] == "application error"
    assert "is cleared already" in again[1]


def test_a_rehearsal_changes_nothing(tenant: SapSimulator) -> None:
    lines = [line(*one) for one in IN_TRANSIT]
    before = len(tenant.ledger.all())
    state, told = worked(tenant, clearing(*lines, rehearse=True))
    assert (state, len(tenant.ledger.all())) == ("successful", before)
    assert "Document check: no errors" in told
    assert worked(tenant, clearing(*lines, name="REAL"))[0] == "successful"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (clearing(line(*IN_TRANSIT[0])), "263(F5)"),
        (clearing(line(*IN_TRANSIT[0]), line(*IN_TRANSIT[0])), "263(F5)"),
        (clearing(line(*IN_TRANSIT[0]), line(*INVOICE)), "263(F5)"),
        (clearing(line("S", "0011001000", "5000000000", "1")), "105(F5A)"),
        (clearing(line("S", "0011001000", "5000000004", "2")), "263(F5)"),
        (clearing(line("S", "0011001010", "5000009999", "1")), "263(F5)"),
        (clearing(line("D", "10100002", *INVOICE[2:])), "263(F5)"),
        (clearing(line("K", *INVOICE[1:])), "263(F5)"),
        (clearing(*(line(*one) for one in IN_TRANSIT), currency="USD"), "263(F5)"),
        (clearing(*(line(*one) for one in IN_TRANSIT), on="2024-11-20"), "201(F5)"),
        (clearing(*(line(*one) for one in IN_TRANSIT), company="2020"), "165(F5)"),
        (
            clearing(
                line(
                    *INVOICE,
                    '<PartialPaymentAmtInDspCrcy currencyCode="EUR">1</PartialPaymentAmtInDspCrcy>'
                    '<CashDiscountAmountInDspCrcy currencyCode="EUR">1'
                    "</CashDiscountAmountInDspCrcy>",
                )
            ),
            "840(F5)",
        ),
    ],
)
def test_what_cannot_be_cleared_is_an_application_error(
    tenant: SapSimulator, body: bytes, code: str
) -> None:
    before = len(tenant.ledger.all())
    state, told = worked(tenant, body)
    assert (state, len(tenant.ledger.all())) == ("application error", before)
    assert f"<TypeID>{code}</TypeID>" in told


def test_a_bank_line_cannot_be_made(tenant: SapSimulator) -> None:
    """The message names lines that are there; it has no element for a new one."""
    amount = '<AmountInTransactionCurrency currencyCode="EUR">1</AmountInTransactionCurrency>'
    body = clearing(line(*IN_TRANSIT[0], amount), line(*IN_TRANSIT[1]))
    assert worked(tenant, body)[0] == "technical error"
