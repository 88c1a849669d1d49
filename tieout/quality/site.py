"""Data Docs that open anywhere: nothing fetched from elsewhere, an index that needs no script.

Great Expectations' pages load styles and scripts from other hosts and its index is empty without
them. A finance page must not run a stranger's code, and must open where there is no way out; so
those references are taken out, a small style is put in, and the index is our own.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

__all__ = ["finish"]

_SCRIPTS: Final = re.compile(r"<script\b[^>]*>.*?</script\s*>", re.DOTALL | re.IGNORECASE)
_LINKS: Final = re.compile(r'<link\b[^>]*href="https?:[^>]*>', re.IGNORECASE)
_IMAGES: Final = re.compile(r'<img\b[^>]*src="https?:[^>]*>', re.IGNORECASE)
_FOOTERS: Final = re.compile(r"<footer\b.*?</footer\s*>", re.DOTALL | re.IGNORECASE)

_STYLE: Final = """<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2rem auto; padding: 0 1rem;
  color: #1c2735; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
td, th { border: 1px solid #c5cfdd; padding: .3rem .6rem; text-align: left; vertical-align: top; }
th { background: #f3f5f9; }
.bad { color: #a52019; font-weight: bold; }
.modal, .navbar-toggler, [id*=filter] { display: none; }
img { max-height: 2rem; }
</style>"""


def finish(root: Path, section: str, run_name: str, statistics: Mapping[str, Any]) -> Path:
    """Tidy the pages of one section and write the index over all sections.

    Args:
        root: the folder of all Data Docs.
        section: the folder below it that was just built (``statements``, ``expenses``).
        run_name: the run whose results it shows.
        statistics: per table ``rows``, ``rules``, ``failed``, ``broken``.

    Returns:
        ``root/index.html``.
    """
    folder = root / section
    for page in sorted(folder.rglob("*.html")):
        _tidy(page)
    summary = {"run": run_name, "tables": statistics}
    (folder / "summary.json").write_text(json.dumps(summary, sort_keys=True))
    index = root / "index.html"
    part = index.with_suffix(f".{section}.part")
    part.write_text(_index(root), encoding="utf-8")
    part.replace(index)
    return index


def _tidy(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for pattern in (_SCRIPTS, _LINKS, _IMAGES, _FOOTERS):
        text = pattern.sub("", text)
    page.write_text(text.replace("</head>", f"{_STYLE}</head>", 1), encoding="utf-8")


def _index(root: Path) -> str:
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Data quality</title>'
        f"{_STYLE}</head><body>"
    ]
    parts.append(
        "<h1>Data quality</h1><p>The latest run of each section; every finding of every "
        "run is in the ledger.</p>"
    )
    for summary in sorted(root.glob("*/summary.json")):
        section = summary.parent
        said = json.loads(summary.read_text())
        parts.append(f"<h2>{html.escape(section.name)}</h2><p>run {html.escape(said['run'])}</p>")
        parts.append("<table><tr><th>table<th>rows<th>rules<th>failed<th>broken<th>pages</tr>")
        parts += [_row(root, section, name, said["tables"][name]) for name in said["tables"]]
        parts.append("</table>")
    parts.append("</body></html>")
    return "\n".join(parts) + "\n"


def _row(root: Path, section: Path, name: str, numbers: Mapping[str, int]) -> str:
    results = sorted((section / "validations" / name).rglob("*.html"))
    rules = section / "expectations" / f"{name}.html"
    links = [("results", page) for page in results] + [("rules", rules)] * rules.exists()
    cells = "".join(
        f"<td{_bad(key, numbers[key])}>{numbers[key]}"
        for key in ("rows", "rules", "failed", "broken")
    )
    pages = " ".join(
        f'<a href="{html.escape(page.relative_to(root).as_posix())}">{word}</a>'
        for word, page in links
    )
    return f"<tr><td>{html.escape(name)}{cells}<td>{pages}</tr>"


def _bad(key: str, count: int) -> str:
    return ' class="bad"' if count and key in ("failed", "broken") else ""
