"""What we send, against the machine-readable specification, where it is at hand."""

from __future__ import annotations

import base64
import csv
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sandbox.simulators.oracle_loader import LAYOUTS
from tests.connectors.rigs.oracle import OracleRig, open_rig
from tieout.connectors.oracle_fbdi import group_of, journal_file, marked
from tieout.connectors.ports import JournalLine

SPECIFICATION = Path(__file__).resolve().parents[3] / "shared" / "specs" / "oracle"
REFERENCE = "ABCDEFGHIJKLMNOP"

pytestmark = pytest.mark.filterwarnings("ignore:jsonschema.RefResolver:DeprecationWarning")
needs_specification = pytest.mark.skipif(
    not SPECIFICATION.is_dir(), reason="the specification is not at ../shared/specs/oracle"
)


@pytest.fixture
def rig() -> Iterator[OracleRig]:
    with open_rig(invoices_by="file") as found:
        yield found


def sent(rig: OracleRig) -> list[dict[str, Any]]:
    """The bodies of all requests to ``erpintegrations`` from here on."""
    bodies: list[dict[str, Any]] = []
    inner = rig.connector.wire.exchange

    def note(method: str, path: str, **given: Any) -> Any:
        if method == "POST" and path.endswith("/erpintegrations"):
            bodies.append(json.loads(given["content"]))
        return inner(method, path, **given)

    rig.connector.wire.exchange = note  # type: ignore[method-assign]
    return bodies


def files(body: dict[str, Any]) -> dict[str, list[list[str]]]:
    """The rows of the files in a submission."""
    content = base64.b64decode(body["DocumentContent"])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {
            name: list(csv.reader(io.StringIO(archive.read(name).decode())))
            for name in archive.namelist()
        }


def layout(name: str) -> dict[int, str]:
    """Columns by place, from the specification."""
    with (SPECIFICATION / "fbdi_columns.tsv").open(encoding="utf-8") as lines:
        rows = csv.DictReader(lines, delimiter="\t")
        return {int(row["position"]): row["column"] for row in rows if row["csv"] == name}


@needs_specification
def test_every_submission_fits_the_openapi(rig: OracleRig) -> None:
    yaml = pytest.importorskip("yaml")
    name = "oraclefusion-erp-integrations.openapi.yaml"
    document = yaml.safe_load((SPECIFICATION / name).read_text(encoding="utf-8"))
    schemas = document["components"]["schemas"]
    mapping = document["paths"]["/erpintegrations"]["post"]["requestBody"]["content"]
    by_operation = mapping["application/json"]["schema"]["discriminator"]["mapping"]
    bodies = sent(rig)
    rig.connector.create(rig.journal(REFERENCE))
    rig.connector.create(rig.invoice("INVOICEAAAAAAAAA"))
    rig.let_work()
    (journal,) = rig.connector.find(rig.journal(REFERENCE)).documents
    rig.connector.post(journal.doc_id)
    assert [body["OperationName"] for body in bodies] == [
        "importBulkData",
        "importBulkData",
        "submitESSJobRequest",
    ]
    for body in bodies:
        schema = schemas[by_operation[body["OperationName"]].rsplit("/", 1)[-1]]
        jsonschema.validate(body, schema)
        assert body.keys() <= schema["properties"].keys()


@needs_specification
def test_every_value_stands_in_its_column(rig: OracleRig) -> None:
    bodies = sent(rig)
    dollars = JournalLine("1840", 0, 350, foreign_minor=-381, foreign_currency="USD")
    journal = rig.journal(REFERENCE)
    rig.connector.create(replace(journal, lines=(journal.lines[0], dollars)))
    rig.connector.create(rig.invoice("INVOICEAAAAAAAAA"))
    named: dict[str, list[dict[str, str]]] = {}
    # Two columns stand in the layout's samples and documents, without a row in the table.
    more = {2: "LEDGER_ID", 53: "REFERENCE21", 1: "INVOICE_ID"}
    for body in bodies:
        for name, rows in files(body).items():
            columns = more | layout(name)
            for row in rows:
                filled = {place: value for place, value in enumerate(row, 1) if value}
                assert filled.keys() <= columns.keys()
                found = {columns[place]: value for place, value in filled.items()}
                named.setdefault(name, []).append(found)
    debit, credit = named["GlInterface.csv"]
    assert (debit["ENTERED_DR"], debit["SEGMENT2"], debit["SEGMENT3"]) == ("3.50", "6855", "110")
    assert (credit["ENTERED_CR"], credit["ACCOUNTED_CR"], credit["CURRENCY_CODE"]) == (
        "3.81",
        "3.50",
        "USD",
    )
    assert debit["GROUP_ID"] == group_of((REFERENCE,))
    assert marked(debit["REFERENCE1"]) == marked(debit["REFERENCE4"]) == REFERENCE
    assert (debit["ACCOUNTING_DATE"], debit["DATE_CREATED"]) == ("2026/11/20", "2026/11/20")
    (header,) = named["ApInvoicesInterface.csv"]
    (line,) = named["ApInvoiceLinesInterface.csv"]
    assert header["GROUP_ID"] == group_of(("INVOICEAAAAAAAAA",))
    assert (header["INVOICE_AMOUNT"], header["VENDOR_NUM"]) == ("3.50", "1252")
    assert (line["AMOUNT"], line["DIST_CODE_CONCATENATED"]) == ("3.50", "01-6300-120")
    assert header["ACCTS_PAY_CODE_CONCATENATED"] == "01-3300-000"


@needs_specification
def test_the_simulator_knows_no_other_columns() -> None:
    for interface in LAYOUTS.values():
        for name, known in interface.items():
            unknown = layout(name).keys() - known.known
            assert unknown == set()


@needs_specification
def test_the_jobs_answers_fit_the_schedulers_openapi(rig: OracleRig) -> None:
    yaml = pytest.importorskip("yaml")
    name = "oraclefusion-common-scheduler.openapi.yaml"
    document = yaml.safe_load((SPECIFICATION / name).read_text(encoding="utf-8"))
    rig.connector.create(rig.journal(REFERENCE))
    rig.let_work()
    found = rig.tenant.integrations.requests({}, "http://oracle.invalid/requests")
    schema = {"$ref": "#/components/schemas/RequestQueryResponse", **document}
    jsonschema.validate(found, schema)
    allowed = document["components"]["schemas"]["RequestDetails"]["properties"].keys()
    beyond = {key for item in found["items"] for key in item} - allowed
    assert beyond == {"parentRequestId"}  # a field one may filter by, and so one that is there


def test_the_same_documents_make_the_same_bytes(rig: OracleRig) -> None:
    journals = [rig.journal("AAAA"), rig.journal("BBBB", booked_on=date(2026, 11, 2))]
    first, second = (journal_file(journals, rig.connector._profile) for _ in range(2))
    assert first == second
    assert first.group.startswith("9")
    assert group_of(("AAAA",)).startswith("1")
    assert group_of(("AAAA", "BBBB")) != group_of(("BBBB", "AAAA"))
