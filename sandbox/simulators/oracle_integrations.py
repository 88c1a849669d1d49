"""``erpintegrations`` and the scheduler of the Oracle simulator: files in, jobs out, their reports.

A submission that is refused is answered like one that is taken, with ``ReqstId`` "-1". All ids are
text. `ESSJobStatusRF` knows only requests that came through this resource.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import zipfile
from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

from sandbox.simulators.faults import FaultPlan
from sandbox.simulators.oracle_jobs import INTERFACE_LOADER, POSTING, Job, Scheduler
from sandbox.simulators.oracle_query import BadRequestError, scim
from sandbox.simulators.oracle_rows import job_row

__all__ = ["Integrations"]

_KEYS: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = {
    # operation: (what it must have, what it may have)
    "importBulkData": (
        frozenset(
            {"OperationName", "DocumentContent", "ContentType", "FileName", "DocumentAccount"}
            | {"JobName", "ParameterList"}
        ),
        frozenset({"CallbackURL", "NotificationCode", "JobOptions"}),
    ),
    "submitESSJobRequest": (
        frozenset({"OperationName", "JobPackageName", "JobDefName", "DocumentId", "ESSParameters"}),
        frozenset({"ReqstId"}),
    ),
    "uploadFileToUCM": (
        frozenset(
            {"OperationName", "DocumentContent", "DocumentAccount", "ContentType", "FileName"}
        ),
        frozenset({"DocumentId"}),
    ),
}
_GL: Final = "/oracle/apps/ess/financials/generalLedger/programs/common"
#: Job: interface option, document account, number of parameters.
_IMPORTS: Final = {
    f"{_GL},JournalImportLauncher": ("15", "fin$/generalLedger$/import$", 7),
    "/oracle/apps/ess/financials/payables/invoices/transactions,APXIIMPT": (
        "1",
        "fin$/payables$/import$",
        14,
    ),
}
_PAGE: Final = 100


class Integrations:
    """The operations, over one scheduler."""

    def __init__(self, scheduler: Scheduler, plan: FaultPlan) -> None:
        self.scheduler = scheduler
        self.plan = plan
        self.documents: dict[str, bytes] = {}

    def operation(self, body: Mapping[str, Any], fault: str) -> dict[str, Any]:
        """The answer to a POST.

        Raises:
            BadRequestError: a field is missing, unknown, or of the wrong kind.
        """
        name = body.get("OperationName")
        if name not in _KEYS:
            raise BadRequestError(f"OperationName {name!r} is not valid", path="/OperationName")
        must, may = _KEYS[str(name)]
        for key in sorted(must - body.keys()):
            raise BadRequestError(f"The attribute {key} is required", path=f"/{key}")
        for key in sorted(body.keys() - must - may):
            raise BadRequestError(f"The attribute {key} is not valid", path=f"/{key}")
        for key, value in body.items():
            if not isinstance(value, str | None):
                raise BadRequestError(f"The attribute {key} is not text", path=f"/{key}")
        handlers = {
            "importBulkData": self._import,
            "submitESSJobRequest": self._submit,
            "uploadFileToUCM": self._upload,
        }
        return handlers[str(name)](body, fault)

    def _import(self, body: Mapping[str, Any], fault: str) -> dict[str, Any]:
        content = _decoded(body["DocumentContent"])
        parameters = tuple(str(body["ParameterList"]).split(","))
        known = _IMPORTS.get(str(body["JobName"]))
        options = _options(str(body.get("JobOptions") or ""))
        taken = (
            fault != "refused"
            and known is not None
            and body["DocumentAccount"] == known[1]
            and len(parameters) == known[2]
            and options.get("InterfaceDetails", known[0]) == known[0]
            and body["ContentType"] == "zip"
        )
        request = "-1"
        if taken and known is not None:
            callback = str(body.get("CallbackURL") or "#NULL")
            job = self.scheduler.submit(
                INTERFACE_LOADER,
                parameters,
                import_job=f"JobDefinition:/{str(body['JobName']).replace(',', '/')}",
                interface=known[0],
                content=content,
                file_name=str(body["FileName"]),
                callback=callback if options and callback != "#NULL" else "",
                fault=fault,
            )
            request = str(job.id)
        echo = {key: body[key] for key in sorted(body) if key != "DocumentContent"}
        return {**echo, "DocumentContent": None, "ReqstId": request, "RequestStatus": None}

    def _submit(self, body: Mapping[str, Any], fault: str) -> dict[str, Any]:
        request = "-1"
        known = body["JobPackageName"].rstrip("/") == _GL and body["JobDefName"] == POSTING
        if known and fault != "refused":
            parameters = tuple(str(body["ESSParameters"]).split(","))
            definition = f"JobDefinition:/{body['JobPackageName'].rstrip('/')}/{POSTING}"
            request = str(self.scheduler.submit(definition, parameters, fault=fault).id)
        return {**body, "ReqstId": request, "RequestStatus": None}

    def _upload(self, body: Mapping[str, Any], fault: str) -> dict[str, Any]:
        number = str(self.scheduler.books.next_id())
        self.documents[number] = _decoded(body["DocumentContent"])
        return {**body, "DocumentContent": None, "DocumentId": number, "ReqstId": None}

    def find(self, finder: str) -> list[dict[str, Any]]:
        """The items of a GET with a finder."""
        name, _, text = finder.partition(";")
        values = dict(part.partition("=")[::2] for part in text.split(","))
        number = values.get("requestId", "")
        job = self.scheduler.jobs.get(int(number)) if number.isdecimal() else None
        if name == "ESSJobStatusRF":
            status = job.state if job is not None and job.integration else ""
            shown = {"OperationName": "getESSJobStatus", "ReqstId": number}
            return [{**shown, "RequestStatus": status, "DocumentId": None}]
        if name == "ESSJobExecutionDetailsRF":
            kind = values.get("fileType", "ALL").upper()
            content = _archive(job, kind) if job is not None else ""
            return [
                {
                    "OperationName": "downloadESSJobExecutionDetails",
                    "ReqstId": number,
                    "DocumentContent": content or None,
                    "ContentType": "zip",
                }
            ]
        raise BadRequestError(f"The finder {name} is not valid")

    def requests(self, parameters: Mapping[str, str], address: str) -> dict[str, Any]:
        """The scheduler's own list of requests, newest first where it is asked for so."""
        for key in parameters:
            if key not in ("q", "fields", "excludeFields", "id", "orderBy", "pageIndex"):
                raise BadRequestError(f"unknown parameter {key}")
        jobs = self.scheduler.jobs
        numbers = list(jobs)  # in the order they were given out
        if parameters.get("id"):
            given = sorted({int(n) for n in parameters["id"].split(",") if n.isdecimal()})
            numbers = [number for number in given if number in jobs]
        if parameters.get("orderBy") == "requestId:desc":
            numbers.reverse()
        index = int(parameters.get("pageIndex", "0"))
        keeps = scim(parameters.get("q", ""))
        # Rows are made one by one: a tenant has had many jobs, a page shows few.
        kept = (row for row in (job_row(jobs[number]) for number in numbers) if keeps(row))
        rows = list(islice(kept, index * _PAGE, (index + 1) * _PAGE + 1))
        items = rows[:_PAGE]
        links = [{"rel": "self", "href": address}]
        if len(rows) > _PAGE:
            others = "&".join(f"{k}={v}" for k, v in parameters.items() if k != "pageIndex")
            bare = address.partition("?")[0]
            links.append({"rel": "next", "href": f"{bare}?{others}&pageIndex={index + 1}"})
        return {"items": items, "count": len(items), "pageIndex": index, "links": links}

    def completion(self, job: Job) -> bytes:
        """The SOAP message that tells a subscriber of the end of an import."""
        children = [
            {
                "JOBNAME": child.definition,
                "JOBPATH": "/oracle/apps/ess/financials/",
                "DOCUMENTNAME": job.file_name,
                "REQUESTID": str(child.id),
                "STATUS": child.state,
            }
            for child in self.scheduler.children(job.id)
        ]
        result = {"JOBS": children, "SUMMARYSTATUS": job.state, "DOCUMENTID": str(job.id + 1)}
        text = json.dumps(result).replace("&", "&amp;").replace("<", "&lt;")
        space = "http://xmlns.oracle.com/scheduler"
        return (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Body>'
            f'<onJobCompletion xmlns="{space}"><requestId>{job.id}</requestId>'
            f"<state>{job.state}</state><resultMessage>{text}</resultMessage>"
            "</onJobCompletion></env:Body></env:Envelope>"
        ).encode()

    def callbacks(self) -> list[tuple[str, bytes]]:
        """The messages due since the last call: (address, message), lost and doubled as planned."""
        due, self.scheduler.completed = self.scheduler.completed, []
        found = []
        for job in due:
            if job.callback:
                fault = self.plan.take("callback")
                if fault == "late":
                    self.scheduler.completed.append(job)
                times = {"late": 0, "lost": 0, "twice": 2}.get(fault, 1)
                found += [(job.callback, self.completion(job))] * times
        return found


def _decoded(text: Any) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except binascii.Error as error:
        raise BadRequestError("DocumentContent is not base64", path="/DocumentContent") from error


def _options(text: str) -> dict[str, str]:
    return dict(part.partition("=")[::2] for part in text.split(",") if part)


def _archive(job: Job, kind: str) -> str:
    """Log and output of a request, a zip in base64; empty without any."""
    files = {}
    if job.log and kind in ("ALL", "LOG"):
        files[f"{job.id}.log"] = job.log
    if job.output and kind in ("ALL", "OUT"):
        files[f"{job.id}.txt"] = job.output
    if not files:
        return ""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(files.items()):
            archive.writestr(name, text)
    return base64.b64encode(memory.getvalue()).decode()
