"""What we send to, and simulate of, Dynamics 365 against its published entity definitions."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from sandbox.simulators.clock import Clock
from sandbox.simulators.dynamics365_books import Books
from tests.connectors.rigs.dynamics365 import DAY, Dynamics365Rig, open_rig
from tieout.connectors.dynamics365_packages import package
from tieout.connectors.http_wire import HttpAnswer
from tieout.connectors.ports import JournalLine, Liability

SPECS = Path(__file__).resolve().parents[2].parent / "shared" / "specs" / "d365"
pytestmark = pytest.mark.skipif(
    not SPECS.is_dir(), reason="the published definitions (../shared/specs/d365) are not here"
)
#: Entities a company's own developer adds; no publication knows them.
OWN = ("TieoutOpenTransactions", "TieoutPeriodStatuses", "TieoutPostingLog")
#: Public entities that the definitions at hand name only in the Common Data Model, or not at all.
ELSEWHERE = {
    "VendorInvoiceHeaders": "VendorInvoiceHeaderEntity",
    "VendorInvoiceLines": "VendorInvoiceLineEntity",
    "GeneralJournalAccountEntries": "GeneralJournalAccountEntryEntity",
    "VendorBankAccounts": "VendVendorBankAccountEntity",
}


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in sorted(SPECS.glob("finance-*.openapi.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        found |= content["components"]["schemas"]
        found |= content["paths"]
    return found


def entity(schemas: dict[str, Any], collection: str) -> dict[str, Any]:
    """The schema of a collection's rows."""
    made = schemas[f"/{collection}"]["post"]["requestBody"]["content"]["application/json"]
    schema: dict[str, Any] = schemas[made["schema"]["$ref"].rpartition("/")[2]]
    return schema


def attributes(name: str) -> set[str]:
    with (SPECS / "cdm_attributes.tsv").open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t")
        return {row["attribute"] for row in rows if row["entity"] == name}


COLLECTIONS = (
    "VendorInvoiceHeaders",
    "VendorInvoiceLines",
    "LedgerJournalHeaders",
    "LedgerJournalLines",
    *sorted(Books(Clock()).tables),
)


@pytest.mark.parametrize("name", COLLECTIONS)
def test_every_simulated_property_is_published(schemas: dict[str, Any], name: str) -> None:
    if name in OWN:
        assert f"/{name}" not in schemas
        return
    known = attributes(ELSEWHERE[name]) | {"dataAreaId"} if name in ELSEWHERE else None
    columns = set(Books(Clock()).columns(name)) - set(OWN)
    assert columns - (known or set(entity(schemas, name)["properties"])) == set()


def sent(rig: Dynamics365Rig) -> list[tuple[str, dict[str, Any]]]:
    """The rows of the batch that the next create sends."""
    contents: list[bytes] = []
    inner = rig.connector.wire.exchange

    def exchange(method: str, path: str, **rest: Any) -> HttpAnswer:
        if "$batch" in path:
            contents.append(rest["content"])
        return inner(method, path, **rest)

    rig.connector.wire.exchange = exchange  # type: ignore[method-assign]
    owed = Liability("V-100", "supplier", "OS-78", DAY, date(2026, 12, 4))
    lines = (
        JournalLine("6600", 9250, 0, foreign_minor=10000, foreign_currency="USD"),
        JournalLine("3300", 0, 9250, party="V-100"),
    )
    rig.connector.create(replace(rig.journal("ABCDEFGHIJKLMNOP"), lines=lines, liability=owed))
    rig.connector.create(rig.journal("BBBBBBBBBBBBBBBB"))
    found = []
    for content in contents:
        for part in content.decode().split("POST /data/")[1:]:
            body = part.partition("\r\n\r\n")[2].partition("\r\n")[0]
            found.append((part.partition(" ")[0], json.loads(body)))
    return found


def test_every_request_fits_the_published_schema(schemas: dict[str, Any]) -> None:
    with open_rig() as rig:
        rows = sent(rig)
    assert [name for name, _ in rows].count("LedgerJournalLines") == 4
    for name, values in rows:
        schema = entity(schemas, name)
        assert set(values) <= set(schema["properties"])
        # What is required of a whole row is not required of one to be made; a reference within
        # the document stands for another schema of it.
        part = {"properties": {key: schema["properties"][key] for key in values}}
        jsonschema.validate(values, part | {"components": {"schemas": schemas}})


def test_every_column_of_a_package_is_published() -> None:
    content = package("G", {"JournalName": "BankAdj"}, [{"LineNumber": 1}])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        header = archive.read("General journal.csv").decode().partition("\r\n")[0]
    known = {name.upper() for name in attributes("LedgerJournalEntity")}
    assert set(header.split(",")) <= known
