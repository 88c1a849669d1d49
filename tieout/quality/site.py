"""Data Docs that open anywhere: nothing fetched from elsewhere, an index that needs no script.

Great Expectations' pages load styles and scripts from other hosts and its index is empty without
them. A finance page must not run a stranger's code, and must open where there is no way out; so
those references are taken out, a small style is put in, and the index is our own. Every run has a
folder of its own, so that a link from a run shows that run.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tieout.quality.rules import LOCATORS

__all__ = ["RUNS_MAX", "finish"]

#: Runs of one section whose pages are kept.
RUNS_MAX: Final = 100

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
    """Tidy the pages of one run, and write its index and the index over all runs.

    Args:
        root: the folder of all Data Docs.
        section: the folder below it the run belongs to (``statements``, ``expenses``, …).
        run_name: the folder below that, just built.
        statistics: per table ``rows``, ``rules``, ``failed``, ``broken``.

    Returns:
        The run's own ``index.html``, a page a run of a workflow can link to.
    """
    folder = root / section / run_name
    for page in sorted(folder.rglob("*.html")):
        _tidy(page)
    summary = {"run": run_name, "tables": statistics}
    (folder / "summary.json").write_text(json.dumps(summary, sort_keys=True))
    for old in _runs(root / section)[RUNS_MAX:]:
        shutil.rmtree(old, ignore_errors=True)
    index = folder / "index.html"
    _write(index, _page(f"Data quality: {section}", _run(folder, folder, section)))
    _write(root / "index.html", _page("Data quality", _overview(root)))
    return index


def _runs(section: Path) -> list[Path]:
    """The folders of a section's runs, the newest first."""
    told = [(p.stat().st_mtime_ns, p.parent.name, p.parent) for p in section.glob("*/summary.json")]
    return [folder for _, _, folder in sorted(told, reverse=True)]


def _write(path: Path, text: str) -> None:
    part = path.with_suffix(f".{uuid.uuid4().hex}.part")  # two runs may write at once
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _tidy(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for pattern in (_SCRIPTS, _LINKS, _IMAGES, _FOOTERS):
        text = pattern.sub("", text)
    page.write_text(text.replace("</head>", f"{_STYLE}</head>", 1), encoding="utf-8")


def _page(title: str, body: list[str]) -> str:
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title>{_STYLE}'
    return "\n".join(
        [
            f'<!doctype html><html lang="en"><head>{head}</head><body>',
            f"<h1>{html.escape(title)}</h1>",
            *body,
            "</body></html>",
            "",
        ]
    )


def _overview(root: Path) -> list[str]:
    """The latest run of each section in full, the earlier ones as links."""
    parts = [
        "<p>The latest run of each section, and the runs before it; every finding of every run is "
        "in the ledger.</p>"
    ]
    for section in sorted(p for p in root.iterdir() if p.is_dir()):
        runs = _runs(section)
        if not runs:
            continue
        parts.append(f"<h2>{html.escape(section.name)}</h2>")
        parts += _run(root, runs[0], section.name)
        earlier = [_link(root, run / "index.html", run.name) for run in runs[1:]]
        if earlier:
            parts.append(f"<details><summary>{len(earlier)} earlier runs</summary><ul>")
            parts += [f"<li>{link}" for link in earlier]
            parts.append("</ul></details>")
    return parts


def _run(base: Path, folder: Path, section: str) -> list[str]:
    said = json.loads((folder / "summary.json").read_text())
    parts = [f"<p>{html.escape(section)}, run {html.escape(said['run'])}</p>", "<table>"]
    parts.append("<tr><th>table<th>rows<th>rules<th>failed<th>broken<th>pages</tr>")
    names = [name for name in LOCATORS if name in said["tables"]]
    parts += [_row(base, folder, name, said["tables"][name]) for name in names]
    return [*parts, "</table>"]


def _link(base: Path, page: Path, word: str) -> str:
    return f'<a href="{html.escape(page.relative_to(base).as_posix())}">{html.escape(word)}</a>'


def _row(base: Path, folder: Path, name: str, numbers: Mapping[str, int]) -> str:
    results = sorted((folder / "validations" / name).rglob("*.html"))
    rules = folder / "expectations" / f"{name}.html"
    links = [("results", page) for page in results] + [("rules", rules)] * rules.exists()
    cells = "".join(
        f"<td{_bad(key, numbers[key])}>{numbers[key]}"
        for key in ("rows", "rules", "failed", "broken")
    )
    pages = " ".join(_link(base, page, word) for word, page in links)
    return f"<tr><td>{html.escape(name)}{cells}<td>{pages}</tr>"


def _bad(key: str, count: int) -> str:
    return ' class="bad"' if count and key in ("failed", "broken") else ""
