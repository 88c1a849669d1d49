"""Data management in the Dynamics 365 simulator: the package API.

Values are JSON within a string, uploads go to an address that is a key in itself, an execution id
is taken once, and an import ends as the real one does: Succeeded, PartiallySucceeded (the rows that
were good are there, the others in a file of error keys) or Failed. Faults of the kind ``import``:
``slow`` (Executing until the next run), ``partial`` (the last row is refused), ``failed``.
"""

from __future__ import annotations

import csv
import io
import json
import secrets
import zipfile
from dataclasses import dataclass, field
from decimal import Decimal
from xml.etree import ElementTree

from sandbox.simulators.dynamics365_books import Books
from sandbox.simulators.dynamics365_lines import LINE
from sandbox.simulators.dynamics365_odata import ODataError, infolog
from sandbox.simulators.dynamics365_world import Row
from sandbox.simulators.faults import FaultPlan

__all__ = ["ACTIONS", "Execution", "Packages"]

ACTIONS = "/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities."
_IMPORT = {
    "packageUrl",
    "definitionGroupId",
    "executionId",
    "execute",
    "overwrite",
    "legalEntityId",
}
_ENTITY = "General journal"


@dataclass
class Execution:
    """One run of a data project."""

    group: str
    company: str
    content: bytes
    status: str = "NotRun"
    errors: list[str] = field(default_factory=list)
    bad_keys: list[str] = field(default_factory=list)
    key_file: str = ""


class Packages:
    """Blobs, executions and their errors.

    Attributes:
        reuse: what a second import under a known execution id meets: ``refused`` or ``returned``.
    """

    def __init__(self, books: Books, plan: FaultPlan) -> None:
        self._books, self._plan = books, plan
        self.blobs: dict[str, bytes] = {}
        self.executions: dict[str, Execution] = {}
        self.reuse = "refused"

    def act(self, action: str, asked: Row, base: str) -> Row:
        """One action; its value is a plain one or JSON within a string."""
        with self._books.lock:
            match action:
                case "GetAzureWriteUrl":
                    return {"value": json.dumps(self._address(asked, base))}
                case "ImportFromPackage":
                    return {"value": self._import(asked, base)}
                case "GetExecutionSummaryStatus":
                    found = self.executions.get(_text(asked, "executionId"))
                    return {"value": found.status if found else "Unknown"}
                case "GetExecutionErrors":
                    errors = self._known(asked).errors
                    return {"value": json.dumps([{"ErrorMessage": text} for text in errors])}
                case "GenerateImportTargetErrorKeysFile":
                    return {"value": self._write_keys(asked)}
                case "GetImportTargetErrorKeysFileUrl":
                    name = self._known(asked).key_file
                    return {"value": f"{base}/blob/{name}" if name else ""}
        raise ODataError(404, f"No action is called '{action}'.")

    def put(self, name: str, kind: str, content: bytes) -> int:
        """An upload; only to an address that was given, as a block blob."""
        with self._books.lock:
            if name not in self.blobs or kind != "BlockBlob":
                return 403 if name not in self.blobs else 400
            self.blobs[name] = content
            return 201

    def run(self) -> int:
        """One run over what was taken; returns how many imports ended."""
        with self._books.lock:
            waiting = [e for e in self.executions.values() if e.status in ("NotRun", "Executing")]
            return sum(self._one(execution) for execution in waiting)

    def _address(self, asked: Row, base: str) -> Row:
        name = f"{secrets.token_hex(12)}-{_text(asked, 'uniqueFileName')}"
        self.blobs[name] = b""
        return {"BlobId": name.partition("-")[0], "BlobUrl": f"{base}/blob/{name}"}

    def _import(self, asked: Row, base: str) -> str:
        if set(asked) != _IMPORT:
            raise ODataError(400, f"The parameters {sorted(set(asked) ^ _IMPORT)} do not fit.")
        execution = _text(asked, "executionId")
        if execution in self.executions:
            if self.reuse == "returned":
                return execution
            raise infolog("DMFExecution", f"Execution {execution}: the record already exists.")
        group = _text(asked, "definitionGroupId")
        if any(
            known.group == group and known.status in ("NotRun", "Executing")
            for known in self.executions.values()
        ):
            raise ODataError(500, f"The data project {group} is running.")
        content = self.blobs.get(_text(asked, "packageUrl").removeprefix(f"{base}/blob/"))
        if not content:
            raise ODataError(400, "The package cannot be read from its address.")
        company = _text(asked, "legalEntityId").lower()
        self.executions[execution] = Execution(group, company, content)
        return execution

    def _one(self, execution: Execution) -> bool:
        fault = self._plan.take("import")
        if fault == "slow":
            execution.status = "Executing"
            return False
        rows = _rows(execution) if fault != "failed" else []
        if not rows:
            execution.status = "Failed"
            execution.errors.append("The package has no rows of a known entity.")
            return True
        if fault == "partial":
            rows[-1]["ACCOUNTDISPLAYVALUE"] = "4711"
        done = [self._row(execution, row) for row in rows]
        execution.status = "Succeeded" if all(done) else "PartiallySucceeded"
        if not any(done):
            execution.status = "Failed"
        return True

    def _row(self, execution: Execution, row: dict[str, str]) -> bool:
        """One row of the entity: the header where it is not there yet, and the line."""
        number, company = row["JOURNALBATCHNUMBER"], execution.company
        known = self._books.headers.get((company, number))
        try:
            if known is None:
                values = {"JournalName": row["JOURNALNAME"], "Description": row["DESCRIPTION"]}
                key = {"dataAreaId": company, "JournalBatchNumber": number}
                self._books.insert("LedgerJournalHeaders", values | key)
            line = {name: _typed(name, row[name.upper()]) for name in LINE if row.get(name.upper())}
            line["ExchRate"] = Decimal(row["EXCHANGERATE"] or 0)
            # The placeholder of a voucher is replaced by a number of the system's own.
            del line["Voucher"]
            self._books.insert("LedgerJournalLines", line | {"dataAreaId": company})
        except ODataError as error:
            execution.errors.append(error.message)
            execution.bad_keys.append(f"{number},{row['LINENUMBER']}")
            return False
        return True

    def _write_keys(self, asked: Row) -> bool:
        found = self._known(asked)
        if not found.bad_keys:
            return False
        found.key_file = f"{secrets.token_hex(12)}-error-keys.txt"
        self.blobs[found.key_file] = "\r\n".join(found.bad_keys).encode()
        return True

    def _known(self, asked: Row) -> Execution:
        found = self.executions.get(_text(asked, "executionId"))
        if found is None:
            raise ODataError(400, "There is no such execution.")
        return found


def _text(asked: Row, name: str) -> str:
    if not isinstance(asked.get(name), str) or not asked[name]:
        raise ODataError(400, f"The parameter '{name}' is missing.")
    return str(asked[name])


def _rows(execution: Execution) -> list[dict[str, str]]:
    """The rows of the general journal in a package; none where it is not as its manifest says."""
    try:
        with zipfile.ZipFile(io.BytesIO(execution.content)) as archive:
            manifest = ElementTree.fromstring(archive.read("Manifest.xml"))
            archive.getinfo("PackageHeader.xml")
            names = {
                entity.findtext("EntityName"): entity.findtext("EntityFileName") or ""
                for entity in manifest.iter("DataManagementPackageEntityData")
            }
            text = archive.read(names[_ENTITY]).decode("utf-8")
    except (zipfile.BadZipFile, KeyError, ElementTree.ParseError):
        return []
    return list(csv.DictReader(io.StringIO(text, newline="")))


def _typed(name: str, text: str) -> object:
    return Decimal(text) if isinstance(LINE[name], Decimal) else text
