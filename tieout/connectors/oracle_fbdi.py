"""File-based import: positional files without a header in a zip, the same bytes for the same input.

``GlInterface.csv`` has 149 columns, ``ApInvoicesInterface.csv`` 135 and its lines 164; only the
place of a value says what it is. The group of a file is ours: one from the reference of a single
document (it opens with 1), or one from all the references of a batch (it opens with 9).
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from tieout.connectors.oracle_profile import OracleProfile
from tieout.connectors.ports import Journal, JournalLine
from tieout.money import from_minor

__all__ = [
    "BATCH_GROUP",
    "ImportFile",
    "clean",
    "group_of",
    "invoice_file",
    "journal_file",
    "mark",
    "marked",
]

_GL_COLUMNS: Final = 149
_AP_COLUMNS: Final = 135
_AP_LINE_COLUMNS: Final = 164
_NULL: Final = "#NULL"
_GL_JOB: Final = "/oracle/apps/ess/financials/generalLedger/programs/common,JournalImportLauncher"
_AP_JOB: Final = "/oracle/apps/ess/financials/payables/invoices/transactions,APXIIMPT"
_TEXT_MAX: Final = 240
#: A group of several documents, as a whole word.
BATCH_GROUP: Final = re.compile(r"9\d{14}", re.ASCII)
_MARK: Final = re.compile(r"\bTIEOUT-([A-Z0-9]{1,16})\b", re.ASCII)


@dataclass(frozen=True, slots=True)
class ImportFile:
    """One file to import.

    Attributes:
        group: the interface group, a number of 15 digits.
        references: of the documents in it, in order.
        content: the zip.
        interface: the import's option id.
    """

    group: str
    references: tuple[str, ...]
    name: str
    content: bytes
    account: str
    job: str
    parameters: str
    interface: str

    def request(self, callback_url: str = "") -> dict[str, Any]:
        """The body of ``importBulkData``; Oracle tells ``callback_url`` when it has ended."""
        options = f"InterfaceDetails={self.interface},ImportOption=Y,PurgeOption=Y"
        return {
            "OperationName": "importBulkData",
            "DocumentContent": base64.b64encode(self.content).decode(),
            "ContentType": "zip",
            "FileName": self.name,
            "DocumentAccount": self.account,
            "JobName": self.job,
            "ParameterList": self.parameters,
            "CallbackURL": callback_url or _NULL,
            "NotificationCode": "10",
            "JobOptions": f"{options},ExtractFileType=ALL",
        }


def mark(reference: str) -> str:
    """How our reference stands in the names of batches and journals: ``TIEOUT-ABCD…``."""
    return f"TIEOUT-{reference}"


def marked(text: str | None) -> str:
    """Our reference in a name, however it is decorated; empty where there is none."""
    found = _MARK.search(text or "")
    return found[1] if found else ""


def group_of(references: Sequence[str]) -> str:
    """The interface group of a document, or of a batch."""
    digest = hashlib.sha256("\n".join(references).encode()).digest()
    number = int.from_bytes(digest[:8], "big") % 10**14
    return f"{1 if len(references) == 1 else 9}{number:014d}"


def clean(text: str, length: int = _TEXT_MAX) -> str:
    """One printable line of at most so many characters; narrative only, never a reference."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[:length]


def journal_file(journals: Sequence[Journal], profile: OracleProfile) -> ImportFile:
    """The file of some journals, one batch and one journal each."""
    references = tuple(journal.external_ref for journal in journals)
    group = group_of(references)
    rows = [
        _gl_row(journal, line, number, group, profile)
        for journal in journals
        for number, line in enumerate(journal.lines, 1)
    ]
    text = _text(rows, _GL_COLUMNS)
    parameters = [profile.data_access_set_id, profile.source, profile.ledger_id, group]
    return ImportFile(
        group,
        references,
        _name(references, group),
        _zipped({"GlInterface.csv": text}),
        "fin$/generalLedger$/import$",
        _GL_JOB,
        ",".join([*parameters, "N", "N", "N"]),
        "15",
    )


def _gl_row(
    journal: Journal, line: JournalLine, number: int, group: str, profile: OracleProfile
) -> dict[int, str]:
    """One line's values by place; amounts in the line's own currency, and in the company's."""
    name = mark(journal.external_ref)
    category = profile.journals.get(journal.journal_code, journal.journal_code)
    row = {
        1: "NEW",
        2: profile.ledger_id,
        3: _day(journal.booked_on),
        4: profile.source,
        5: category,
        7: _day(journal.booked_on),  # the same bytes whenever it is sent
        8: "A",
        43: name,
        44: clean(journal.narrative),
        46: name,
        47: clean(journal.narrative),
        48: journal.external_ref,
        52: clean(line.narrative or journal.narrative),
        53: f"{name}-{number}",
        67: group,
    }
    row |= dict(enumerate(profile.combination(line.gl_account), 9))
    own = from_minor(line.debit_minor or line.credit_minor, journal.currency)
    foreign = line.foreign_currency not in (None, journal.currency)
    if foreign and line.foreign_minor is not None and line.foreign_currency is not None:
        entered = from_minor(abs(line.foreign_minor), line.foreign_currency)
        side = 0 if line.debit_minor else 1
        row |= {6: line.foreign_currency, 39 + side: f"{entered:f}", 41 + side: f"{own:f}"}
    else:
        row |= {6: journal.currency, 39 if line.debit_minor else 40: f"{own:f}"}
    return row


def invoice_file(
    journal: Journal,
    header: Mapping[int, str],
    lines: Sequence[Mapping[int, str]],
    profile: OracleProfile,
) -> ImportFile:
    """The two files of one invoice; header and lines by place, the group is added here."""
    references = (journal.external_ref,)
    group = group_of(references)
    texts = {
        "ApInvoicesInterface.csv": _text([{**header, 1: group, 13: group}], _AP_COLUMNS),
        "ApInvoiceLinesInterface.csv": _text(
            [{**line, 1: group} for line in lines], _AP_LINE_COLUMNS
        ),
    }
    parameters = [
        "",
        profile.business_unit_id,
        "N",
        journal.booked_on.isoformat(),
        _NULL,
        _NULL,
        "1000",
        profile.invoice_source,
        group,
        "N",
        "Y",
        profile.ledger_id,
        _NULL,
        "1",
    ]
    return ImportFile(
        group,
        references,
        _name(references, group),
        _zipped(texts),
        "fin$/payables$/import$",
        _AP_JOB,
        ",".join(parameters),
        "1",
    )


def _name(references: Sequence[str], group: str) -> str:
    return f"TIEOUT_{references[0] if len(references) == 1 else group}.zip"


def _day(on: date) -> str:
    return on.strftime("%Y/%m/%d")


def _text(rows: Sequence[Mapping[int, str]], columns: int) -> str:
    memory = io.StringIO()
    writer = csv.writer(memory, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    for row in rows:
        writer.writerow([row.get(place, "") for place in range(1, columns + 1)])
    return memory.getvalue()


def _zipped(texts: Mapping[str, str]) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(texts.items()):
            # A fixed time: the same documents make the same bytes.
            archive.writestr(
                zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text, zipfile.ZIP_DEFLATED
            )
    return memory.getvalue()
