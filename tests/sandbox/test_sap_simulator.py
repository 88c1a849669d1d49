"""The SAP simulator is as strict as its contract: its list, point by point."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from sandbox.simulators.sap import CLIENT, LOGIN, SapSimulator, simulator
from tests.connectors.rigs.sap import served

SFIN = "http://sap.com/xi/SAPSCORE/SFIN"
SOAP = "/sap/bc/srt/scs_ext/sap/"
ODATA = "/sap/opu/odata/sap/"
CUBE = f"{ODATA}API_OPLACCTGDOCITEMCUBE_SRV/A_OperationalAcctgDocItemCube"
LINES = f"{ODATA}API_GLACCOUNTLINEITEM/GLAccountLineItem"
Server = tuple[SapSimulator, httpx.Client]


@pytest.fixture
def server() -> Iterator[Server]:
    tenant = simulator()
    with (
        served(tenant) as address,
        httpx.Client(base_url=address, auth=LOGIN, trust_env=False) as client,
    ):
        yield tenant, client


def amount(value: str, currency: str = "EUR") -> str:
    return f'<AmountInTransactionCurrency currencyCode="{currency}">{value}</AmountInTransactionCurrency>'


def item(
    account: str, value: str, *, center: str = "", text: str = "", currency: str = "EUR"
) -> str:
    told = f"<DocumentItemText>{text}</DocumentItemText>" if text else ""
    assigned = f"<AccountAssignment><CostCenter>{center}</CostCenter></AccountAssignment>"
    side = "H" if value.startswith("-") else "S"
    return (
        f"<Item><GLAccount>{account}</GLAccount>{amount(value, currency)}"
        f"<DebitCreditCode>{side}</DebitCreditCode>{told}{assigned if center else ''}</Item>"
    )


FEE = item("0065100000", "3.50", center="10101101") + item("0011001000", "-3.50")


def document(
    items: str = FEE, *, name: str = "DOC", on: str = "2026-11-20", head: str = "", **more: str
) -> str:
    company, kind = more.get("company", "1010"), more.get("kind", "SA")
    return (
        f"<JournalEntryCreateRequest><MessageHeader><ID>{name}</ID>"
        "<CreationDateTime>2026-11-20T00:00:00Z</CreationDateTime></MessageHeader><JournalEntry>"
        "<OriginalReferenceDocumentType>BKPFF</OriginalReferenceDocumentType>"
        "<BusinessTransactionType>RFBU</BusinessTransactionType>"
        f"<AccountingDocumentType>{kind}</AccountingDocumentType>{head}"
        f"<CreatedByUser>T</CreatedByUser><CompanyCode>{company}</CompanyCode>"
        f"<DocumentDate>{on}</DocumentDate><PostingDate>{on}</PostingDate>"
        f"<Reference1InDocumentHeader>{name}</Reference1InDocumentHeader>{items}"
        "</JournalEntry></JournalEntryCreateRequest>"
    )


def envelope(*documents: str, name: str = "BULK", version: str = "1.1") -> bytes:
    space = {
        "1.1": "http://schemas.xmlsoap.org/soap/envelope/",
        "1.2": "http://www.w3.org/2003/05/soap-envelope",
    }[version]
    return (
        f'<s:Envelope xmlns:s="{space}"><s:Body>'
        f'<f:JournalEntryBulkCreateRequest xmlns:f="{SFIN}"><MessageHeader><ID>{name}</ID>'
        "<CreationDateTime>2026-11-20T00:00:00Z</CreationDateTime></MessageHeader>"
        f"{''.join(documents)}</f:JournalEntryBulkCreateRequest></s:Body></s:Envelope>"
    ).encode()


def sent(client: httpx.Client, body: bytes, service: str = "journalentrycreaterequestconfi") -> str:
    answer = client.post(SOAP + service, content=body)
    assert answer.status_code == 200, answer.text
    return answer.text


def refused(client: httpx.Client, *documents: str) -> str:
    """The answer to documents that must not be posted: HTTP 200, no number, an error."""
    text = sent(client, envelope(*documents))
    assert "<AccountingDocument>0000000000</AccountingDocument>" in text, text
    assert "<FiscalYear>0000</FiscalYear>" in text
    assert "<MaximumLogItemSeverityCode>3</MaximumLogItemSeverityCode>" in text
    return text


def rows(client: httpx.Client, path: str, **options: str) -> list[dict[str, Any]]:
    answer = client.get(path, params={f"${name}": value for name, value in options.items()})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["d"]["results"]
    return found


# 1. CSRF ----------------------------------------------------------------------------------------


def test_a_write_wants_the_token_of_its_session(server: Server) -> None:
    tenant, client = server
    root = f"{ODATA}API_SUPPLIERINVOICE_PROCESS_SRV"
    body = json.dumps({"CompanyCode": "1010"}).encode()

    def write(token: str) -> httpx.Response:
        return client.post(
            f"{root}/A_SupplierInvoice", content=body, headers={"x-csrf-token": token}
        )

    bare = write("")
    assert (bare.status_code, bare.headers["x-csrf-token"]) == (403, "Required")
    assert "CSRF token validation failed" in bare.text
    token = client.get(f"{root}/", headers={"x-csrf-token": "Fetch"}).headers["x-csrf-token"]
    assert write(token).status_code != 403, "the session's cookie went with it"
    assert write("other").status_code == 403
    tenant.clock.advance(31 * 60)
    late = write(token)
    assert (late.status_code, late.headers["x-csrf-token"]) == (403, "Required")
    token = client.get(f"{root}/", headers={"x-csrf-token": "Fetch"}).headers["x-csrf-token"]
    client.cookies.clear()
    assert write(token).status_code == 403, "a token without its session is none"


# 2. logs, mixed outcomes, faults ----------------------------------------------------------------


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_documents_of_one_request_stand_for_themselves(server: Server, version: str) -> None:
    tenant, client = server
    bad = document(item("0011001000", "1.00") + item("0011001010", "-2.00"), name="BAD")
    text = sent(client, envelope(document(), bad, document(name="NEXT"), version=version))
    numbers = text.split("<AccountingDocument>")[1:]
    assert [number[:10] for number in numbers] == ["0100000000", "0000000000", "0100000001"]
    assert text.count("<TypeID>605(RW)</TypeID>") == 2
    assert [len(tenant.documents(name)) for name in ("DOC", "BAD", "NEXT")] == [1, 0, 1]


def test_the_same_request_posts_again(server: Server) -> None:
    tenant, client = server
    for _ in range(2):
        sent(client, envelope(document()))
    assert len(tenant.documents("DOC")) == 2


@pytest.mark.parametrize(
    "spoilt",
    [
        b"no xml",
        b"<a/>",
        envelope(),
        envelope(document(head="<Unknown>1</Unknown>")),
        envelope(document(head="<CompanyCode>1010</CompanyCode>")),
        envelope(document(head="<DocumentHeaderText>" + "x" * 26 + "</DocumentHeaderText>")),
        envelope(document(head="<DocumentReferenceID>" + "x" * 17 + "</DocumentReferenceID>")),
        envelope(document(item("0065100000", "1.00", text="x" * 51))),
        envelope(
            document(FEE.replace("</Item>", "<AssignmentReference>x</AssignmentReference></Item>"))
        ),
        envelope(document(name="R" * 21)),
        envelope(
            document(
                FEE.replace(
                    "</DebitCreditCode>",
                    f"</DebitCreditCode><AssignmentReference>{'x' * 19}</AssignmentReference>",
                )
            )
        ),
        envelope(document(on="20.11.2026")),
        envelope(document(item("0065100000", "1,00"))),
        envelope(document(FEE.replace(' currencyCode="EUR"', ""))),
        envelope(document(FEE.replace("<GLAccount>", "<ProfitCenter>x</ProfitCenter><GLAccount>"))),
    ],
)
def test_what_the_schema_does_not_know_is_a_fault(server: Server, spoilt: bytes) -> None:
    tenant, client = server
    before = len(tenant.ledger.all())
    answer = client.post(SOAP + "journalentrycreaterequestconfi", content=spoilt)
    assert answer.status_code == 500
    assert "<faultstring" in answer.text
    assert len(tenant.ledger.all()) == before


# 3. asynchronous messages -----------------------------------------------------------------------


def test_everything_is_taken_with_202(server: Server) -> None:
    tenant, client = server
    for body in (b"no xml", envelope(), envelope(document())):
        answer = client.post(SOAP + "journalentrybulkcreationreques", content=body)
        assert (answer.status_code, answer.content) == (202, b"")
    tenant.work()
    states = [list(parcel.states.values()) for parcel in tenant.inbox.parcels]
    assert states == [["technical error"], ["technical error"], ["successful"]]


# 4. business checks -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoilt", "code"),
    [
        (document(item("0011001000", "1.00") + item("0011001010", "-0.99")), "702(F5)"),
        (document(item("0011001000", "1.00")), "818(F5)"),
        (document(on="2024-11-20"), "201(F5)"),
        (document(company="2020"), "165(F5)"),
        (document(kind="ZZ"), "814(F5)"),
        (document(FEE.replace("0065100000", "0099999999")), "506(F5)"),
        (document(FEE.replace("0065100000", "0065190000")), "351(F5)"),
        (document(FEE.replace("0011001000", "0012100000")), "354(F5)"),
        (document(FEE.replace("10101101", "10109999")), "265(KS)"),
        (document(FEE.replace("10101101", "10101901")), "203(KM)"),
        (document(FEE.replace("10101101", "10101201"), on="2026-03-02"), "265(KS)"),
        (document(item("0065100000", "3.50") + item("0011001000", "-3.50")), "235(KI)"),
        (document(FEE.replace(">S<", ">H<")), "117(F5)"),
        (
            document(item("0011001000", "1.00") + item("0011001010", "-1.00", currency="USD")),
            "727(F5)",
        ),
        (
            document(FEE.replace('"EUR"', '"USD"')),
            "105(SG)",
        ),
        (
            document(
                item("0011001000", "1.00")
                + f"<CreditorItem><ReferenceDocumentItem>2</ReferenceDocumentItem>"
                f"<Creditor>10399999</Creditor>{amount('-1.00')}</CreditorItem>"
            ),
            "102(F5)",
        ),
        (document(head="<ReversalReason>01</ReversalReason>", items=""), "344(F5A)"),
    ],
)
def test_a_document_that_business_rules_out_is_not_posted(
    server: Server, spoilt: str, code: str
) -> None:
    tenant, client = server
    assert f"<TypeID>{code}</TypeID>" in refused(client, spoilt)
    assert tenant.documents("DOC") == []


@pytest.mark.parametrize(
    ("base", "tax", "fine"), [("100", "19", True), ("99", "19", False), ("100", "18", False)]
)
def test_a_tax_must_agree_with_what_it_is_of(
    server: Server, base: str, tax: str, fine: bool
) -> None:
    _, client = server
    marked = item("0061003000", "100.00", center="10101101").replace(
        "<AccountAssignment>", "<Tax><TaxCode>V1</TaxCode></Tax><AccountAssignment>"
    )
    line = (
        f"<ProductTaxItem><TaxCode>V1</TaxCode>{amount(tax)}"
        f'<TaxBaseAmountInTransCrcy currencyCode="EUR">{base}</TaxBaseAmountInTransCrcy>'
        "</ProductTaxItem>"
    )
    bank = item("0011001000", f"-{100 + int(tax)}.00")
    text = sent(client, envelope(document(marked + bank + line)))
    assert ("805(FF)" in text) != fine
    assert ("605(RW)" in text) == fine


def test_a_closed_period_takes_nothing_until_it_is_open(server: Server) -> None:
    tenant, client = server
    tenant.close_period(date(2026, 11, 1))
    assert "201(F5)" in refused(client, document())
    tenant.open_period(date(2026, 11, 30))
    assert "605(RW)" in sent(client, envelope(document()))


# 5. numbers and reversals -----------------------------------------------------------------------


def test_numbers_run_by_fiscal_year(server: Server) -> None:
    tenant, client = server
    for on in ("2026-11-20", "2027-01-04", "2026-11-21"):
        sent(client, envelope(document(on=on)))
    assert [one.key for one in tenant.documents("DOC")] == [
        ("2026", "0100000000"),
        ("2026", "0100000001"),
        ("2027", "0100000000"),
    ]


def test_a_reversal_marks_both_and_happens_once(server: Server) -> None:
    tenant, client = server
    sent(client, envelope(document(name="FIRST")))
    head = (
        "<ReversalReason>01</ReversalReason>"
        "<ReversalReferenceDocument>010000000010102026</ReversalReferenceDocument>"
    )
    sent(client, envelope(document("", name="BACK", head=head)))
    (first,), (back,) = tenant.documents("FIRST"), tenant.documents("BACK")
    assert (first.reversed_by, back.reverses) == (back.key, first.key)
    assert [i.amount + j.amount for i, j in zip(first.items, back.items, strict=True)] == [0, 0]
    assert "361(F5A)" in refused(client, document("", name="MORE", head=head))
    own = head.replace("0100000000", "0100000001")
    assert "361(F5A)" in refused(client, document("", name="MORE", head=own))
    none = head.replace("0100000000", "0199999999")
    assert "397(F5)" in refused(client, document("", name="MORE", head=none))
    assert "345(F5A)" in refused(client, document(name="MORE", head=head))


# 7. OData V2 ------------------------------------------------------------------------------------


def test_values_are_written_as_odata_v2_writes_them(server: Server) -> None:
    _, client = server
    sent(client, envelope(document()))
    (row,) = rows(
        client, CUBE, filter="Reference1InDocumentHeader eq 'DOC' and GLAccount eq '65100000'"
    )
    assert row["AccountingDocument"] == "100000000", "without the zeros SOAP answers with"
    assert row["PostingDate"] == "/Date(1795132800000)/"
    assert row["AmountInTransactionCurrency"] == "3.50"
    assert (row["IsCleared"], row["ClearingDate"], row["LastChangeDate"]) == (False, None, None)
    assert row["AccountingDocumentItem"] == "1"


def test_lines_are_summed_where_no_key_is_asked_for(server: Server) -> None:
    _, client = server
    where = "Ledger eq '0L' and GLAccount eq '11001000' and FiscalPeriod ne '000'"
    select = "CompanyCodeCurrency,AmountInCompanyCodeCurrency"
    (total,) = rows(client, LINES, filter=where, select=select)
    lines = rows(client, LINES, filter=where, select=f"ID,{select}")
    assert len(lines) == 2
    assert Decimal(total["AmountInCompanyCodeCurrency"]) == sum(
        Decimal(line["AmountInCompanyCodeCurrency"]) for line in lines
    )


def test_long_answers_come_page_by_page(server: Server) -> None:
    _, client = server
    sent(client, envelope(*(document(name=f"D{place}") for place in range(60))))
    options = {"$filter": "GLAccount eq '65100000'", "$inlinecount": "allpages"}
    first = client.get(CUBE, params=options).json()["d"]
    assert (len(first["results"]), first["__count"]) == (50, "60")
    second = client.get(first["__next"]).json()["d"]
    assert len(second["results"]) == 10 and "__next" not in second
    top = rows(client, CUBE, filter="GLAccount eq '65100000'", top="3", skip="58")
    assert len(top) == 2


@pytest.mark.parametrize(
    "options",
    [
        {"filter": "NoSuchProperty eq 'x'"},
        {"filter": "GLAccount eq"},
        {"filter": "GLAccount eq 65100000"},
        {"filter": "(GLAccount eq 'x'"},
        {"filter": "GLAccount like 'x'"},
        {"filter": "AmountInTransactionCurrency eq 3.50M"},
        {"select": "NoSuchProperty"},
        {"orderby": "NoSuchProperty"},
        {"top": "many"},
        {"deltatoken": "x"},
    ],
)
def test_a_query_that_is_none_is_refused(server: Server, options: dict[str, str]) -> None:
    _, client = server
    answer = client.get(CUBE, params={f"${name}": value for name, value in options.items()})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]["value"]


def test_an_unknown_set_is_not_found(server: Server) -> None:
    _, client = server
    assert client.get(f"{ODATA}API_BANKSTATEMENT_SRV/A_BankStatement").status_code == 404


def test_tokens_expire(server: Server) -> None:
    tenant, client = server
    form = {"grant_type": "client_credentials"}
    told = client.post("/sap/bc/sec/oauth2/token", data=form, auth=CLIENT).json()
    bearer = {"Authorization": f"Bearer {told['access_token']}"}
    with httpx.Client(base_url=client.base_url, headers=bearer, trust_env=False) as other:
        assert other.get(CUBE).status_code == 200
        tenant.clock.advance(told["expires_in"])
        assert other.get(CUBE).status_code == 401
    assert client.post("/sap/bc/sec/oauth2/token", data=form).status_code == 401
    assert httpx.get(f"{client.base_url}{CUBE}", trust_env=False).status_code == 401


def test_maintenance_is_a_page(server: Server) -> None:
    tenant, client = server
    tenant.plan.add("cube", "maintenance")
    answer = client.get(CUBE)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "text/html")
    assert "System Maintenance" in answer.text


# driven from another process --------------------------------------------------------------------


def test_a_test_in_another_process_can_drive_it(server: Server) -> None:
    tenant, client = server

    def control(what: str, **content: Any) -> Any:
        return client.post(f"/_control/{what}", json=content).json()

    control("faults", operation="create", faults=["late"])
    with pytest.raises(httpx.RemoteProtocolError):
        client.post(SOAP + "journalentrycreaterequestconfi", content=envelope(document()))
    assert client.get("/_control/documents", params={"reference": "DOC"}).json()["documents"] == []
    client.post(SOAP + "journalentrybulkcreationreques", content=envelope(document(name="BULK")))
    assert control("periods", on="2026-11-01", open=False) == {"open": False}
    assert control("work") == {"late": 1, "messages": 1}
    control("periods", on="2026-11-01", open=True)
    assert control("people", restart="BULK") == {"done": True}
    assert control("people", cancel="BULK") == {"done": False}
    found = client.get("/_control/documents", params={"reference": "BULK"}).json()["documents"]
    assert [line["amount"] for line in found[0]["lines"]] == ["3.50", "-3.50"]
    callbacks = client.get("/_control/callbacks").json()["callbacks"]
    assert [b"0000000000" in base64.b64decode(one) for one in callbacks] == [True, False]
    assert client.get("/_control/callbacks").json()["callbacks"] == []
    assert control("clock", seconds=60)["now"].startswith("2026-11-21T06:01:00")
    assert len(tenant.documents("DOC")) == 0, "the late one met a closed period"
    assert control("faults")["seen"]["create"] == 2
