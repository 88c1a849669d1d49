"""Journals by way of data management: a package is uploaded, then imported under an id of ours.

Uploading changes no books. The one request that may is ``ImportFromPackage``; its execution id
follows from our reference, and the system takes an id once for as long as it keeps its history.
What became of it is asked by that id: an execution that still works may yet bring the journal, one
that failed never will, and of one that failed in part the incomplete draft is shown as it is.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final, Literal
from xml.sax.saxutils import escape

from tieout.connectors.dynamics365_outcome import Verdict, delivery, verdict
from tieout.connectors.dynamics365_records import rendered
from tieout.connectors.dynamics365_session import Row, Session, parsed
from tieout.connectors.http_wire import HttpAnswer
from tieout.connectors.ports import Delivery
from tieout.errors import ConnectorError

__all__ = ["Packages", "execution_id", "package"]

_ACTIONS: Final = "/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities."
_ENTITY: Final = "General journal"
_FILE: Final = f"{_ENTITY}.csv"
_COLUMNS: Final = (
    "JournalBatchNumber",
    "LineNumber",
    "JournalName",
    "Description",
    "AccountType",
    "AccountDisplayValue",
    "CurrencyCode",
    "CreditAmount",
    "DebitAmount",
    "Document",
    "DocumentDate",
    "DueDate",
    "ExchangeRate",
    "Invoice",
    "PostingProfile",
    "Text",
    "TransDate",
    "Voucher",
)
#: Zip files say when they were made; ours are the same bytes for the same journal.
_MADE: Final = (1980, 1, 1, 0, 0, 0)
_WORKING: Final = ("NotRun", "Executing")
_ENDED: Final = ("Failed", "PartiallySucceeded", "Canceled")
State = Literal["unknown", "working", "done", "failed"]


def execution_id(company: str, external_ref: str) -> str:
    """The id under which a journal is imported, once."""
    return f"TIEOUT-{company.upper()}-{external_ref}"


def package(group: str, header: Row, lines: Sequence[Row]) -> bytes:
    """A package with one journal: manifest, header, and the entity's file."""
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, [name.upper() for name in _COLUMNS], lineterminator="\r\n")
    writer.writeheader()
    for line in lines:
        row = header | line
        # One voucher for the journal; the system replaces the placeholder by a number of its own.
        row |= {"Voucher": "1", "ExchangeRate": row.get("ExchRate", "")}
        writer.writerow({name.upper(): _cell(row.get(name, "")) for name in _COLUMNS})
    files = {
        "Manifest.xml": _manifest(group),
        "PackageHeader.xml": _package_header(group),
        _FILE: table.getvalue(),
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, _MADE), text.encode("utf-8"))
    return content.getvalue()


def _cell(value: object) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _manifest(group: str) -> str:
    entity = (
        f"<DataManagementPackageEntityData><EntityName>{_ENTITY}</EntityName>"
        f"<EntityFileName>{_FILE}</EntityFileName><SourceFormat>CSV-Unicode</SourceFormat>"
        "</DataManagementPackageEntityData>"
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?><DataManagementPackageManifest>'
        f"<DefinitionGroupName>{escape(group)}</DefinitionGroupName>"
        f"<PackageEntityList>{entity}</PackageEntityList></DataManagementPackageManifest>"
    )


def _package_header(group: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?><DataManagementPackageHeader>'
        f"<Description>{escape(group)}</Description>"
        "<PackageType>DefinitionGroup</PackageType></DataManagementPackageHeader>"
    )


class Packages:
    """The package API as one company uses it.

    Args:
        prefix: of the data projects. Each journal has one of its own, since the system must not
            run the same project twice at a time.
    """

    def __init__(self, session: Session, company: str, prefix: str) -> None:
        self._session, self._company, self._prefix = session, company, prefix

    def create(self, external_ref: str, header: Row, lines: Sequence[Row]) -> Delivery:
        """Upload and import; PENDING when the system has taken it."""
        group = f"{self._prefix}-{external_ref}"
        uploaded = self._upload(f"{external_ref}.zip", package(group, header, lines))
        if isinstance(uploaded, Delivery):
            return uploaded
        execution = execution_id(self._company, external_ref)
        answer = self._act(
            "ImportFromPackage",
            {
                "packageUrl": uploaded,
                "definitionGroupId": group,
                "executionId": execution,
                "execute": True,
                "overwrite": True,
                "legalEntityId": self._company.upper(),
            },
            point="create",
        )
        found = verdict(answer)
        if found.outcome == "OK" and parsed(answer.body).get("value") == execution:
            return delivery(Verdict("PENDING", "IMPORTING", f"{execution} is taken"), answer)
        if found.outcome == "OK":
            return delivery(Verdict("UNKNOWN", "UNPARSABLE", "another execution is told"), answer)
        if found.outcome != "REJECT":
            return delivery(found, answer)
        # The system refuses in its user's language: the id is asked for, not read from words.
        try:
            state, _ = self.state(external_ref)
        except ConnectorError as error:
            return delivery(Verdict("UNKNOWN", "NOT_READ_BACK", str(error)), answer)
        if state != "unknown":
            return delivery(Verdict("EXISTS", "EXISTS", f"{execution} was taken before"), answer)
        return delivery(found, answer)

    def state(self, external_ref: str) -> tuple[State, str]:
        """How far an import is, and in words why.

        Raises:
            ConnectorError: it cannot be known.
        """
        execution = execution_id(self._company, external_ref)
        told = str(self._ask("GetExecutionSummaryStatus", execution))
        if told in _WORKING:
            return "working", f"the import {execution} is {told}"
        if told in _ENDED:
            return "failed", f"the import {execution} is {told}: {self._errors(execution)}"
        if told == "Succeeded":
            return "done", ""
        if told == "Unknown":
            return "unknown", ""
        message = f"the import {execution} has a status nobody documents: {told[:60]!r}"
        raise ConnectorError("ANSWER_UNEXPECTED", message)

    def _errors(self, execution: str) -> str:
        """The first errors of an execution, in the system's words."""
        told = self._ask("GetExecutionErrors", execution)
        try:
            listed = json.loads(str(told))
        except ValueError:
            listed = []
        texts = [
            str(error.get("ErrorMessage", ""))
            for error in listed
            if isinstance(error, dict) and error.get("ErrorMessage")
        ]
        return "; ".join(" ".join(text.split()) for text in texts[:3])[:300] or "without words"

    def _ask(self, action: str, execution: str) -> Any:
        """What an action that changes nothing tells."""
        answer = self._act(action, {"executionId": execution}, point=f"find {action}")
        told = parsed(answer.body)
        if answer.status != 200 or "value" not in told:
            found = verdict(answer)
            code = "ANSWER_UNEXPECTED" if found.outcome == "OK" else found.code
            message = found.message or "the answer has no value"
            raise ConnectorError(code, message, where=action)
        return told["value"]

    def _upload(self, name: str, content: bytes) -> str | Delivery:
        """The address of the uploaded package, or why nothing was imported."""
        answer = self._act("GetAzureWriteUrl", {"uniqueFileName": name}, point="package address")
        try:
            told = json.loads(str(parsed(answer.body).get("value", "")))
            address = str(told["BlobUrl"])
        except (ValueError, KeyError, TypeError):
            return _not_sent(answer, "no address to upload the package to was given")
        if address.partition("://")[0] != self._session.wire.base_url.partition("://")[0]:
            return _not_sent(answer, "the address to upload to is not as safe as the system's own")
        # The address is a key in itself: no token goes with it, and it is shown nowhere.
        headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": "application/zip"}
        put = self._session.wire.exchange(
            "PUT", address, point="package upload", headers=headers, content=content
        )
        if put.status != 201:
            return _not_sent(put, "the package could not be uploaded")
        return address

    def _act(self, action: str, asked: Row, *, point: str) -> HttpAnswer:
        return self._session.write(
            "POST",
            f"{_ACTIONS}{action}",
            point=point,
            content=rendered(asked).encode(),
            headers={"Content-Type": "application/json"},
        )


def _not_sent(answer: HttpAnswer, message: str) -> Delivery:
    """Nothing was asked of the books yet, whatever became of the upload."""
    found = verdict(answer)
    if found.outcome == "THROTTLED":
        return delivery(found, answer)
    code = found.code if found.outcome == "NOT_SENT" else "UPLOAD_FAILED"
    return delivery(Verdict("NOT_SENT", code, f"{message} ({answer.code})"), answer)
