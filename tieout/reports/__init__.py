"""Reports: the day's tie-out as mail, HTML page, PDF, workbook and terminal text.

`model` holds what a report says and refuses one that does not add up; `figures`, `palette`,
`plain` and `charts` are shared; `html`, `pdf`, `xlsx`, `text` render; `mail` composes and sends;
`files` writes everything into a folder. Renderers are imported by name, since some load slowly.
"""

from __future__ import annotations

from tieout.reports.model import DayReport, brs, check, section, status_of

__all__ = ["DayReport", "brs", "check", "section", "status_of"]
