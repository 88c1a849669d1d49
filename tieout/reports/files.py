"""All outputs of a report into one folder: HTML page, PDF, workbook, plain text.

Files are written beside their place and renamed into it, so that a reader never sees half a file;
writing the same report again changes nothing.
"""

from __future__ import annotations

from pathlib import Path

from tieout.reports import html, pdf, text, xlsx
from tieout.reports.mail import file_stem
from tieout.reports.model import DayReport

__all__ = ["write"]


def write(report: DayReport, folder: Path) -> dict[str, Path]:
    """Write the outputs and return their paths by kind: html, pdf, xlsx, txt.

    Raises:
        TieoutError: the report does not add up (`tieout.reports.model.check`).
    """
    contents = {
        "html": html.page(report).encode(),
        "pdf": pdf.render(report),
        "xlsx": xlsx.render(report),
        "txt": text.render(report).encode(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for kind, content in contents.items():
        path = folder / f"{file_stem(report)}.{kind}"
        beside = path.with_name(f".{path.name}.part")
        beside.write_bytes(content)
        beside.replace(path)
        paths[kind] = path
    return paths
