"""Style is a test: sizes, docstrings, words, and what must not stand in the tree."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("tieout", "parsers", "plugins", "dags", "sandbox")

FILE_LINES_MAX = 300
FILE_LINES_MEDIAN_MAX = 200
FUNCTION_LINES_MAX = 60
DAG_LINES_MAX = 40

#: A limit broken for a good reason, said in a line.
LONG_FILES: dict[str, str] = {}


def tracked(*patterns: str) -> list[str]:
    """Files git knows or would take, so that the test holds before a commit as well as after."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(name for name in listed.stdout.splitlines() if (ROOT / name).is_file())


PYTHON = [name for name in tracked("*.py") if name.split("/")[0] in PRODUCT]
TEXT = [
    name
    for name in tracked()
    if Path(name).suffix
    in {".py", ".md", ".toml", ".json", ".lock", ".typ", ".html", ".j2", ".sql", ".in"}
    or Path(name).name in {"Makefile", "run", ".importlinter"}
]


def parsed(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text(encoding="utf-8"))


def functions(name: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [
        n for n in ast.walk(parsed(name)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def length(name: str) -> int:
    return len((ROOT / name).read_text(encoding="utf-8").splitlines())


def test_files_are_short() -> None:
    long = {n: length(n) for n in PYTHON if length(n) > FILE_LINES_MAX and n not in LONG_FILES}
    assert long == {}
    assert statistics.median(length(n) for n in PYTHON) <= FILE_LINES_MEDIAN_MAX


def test_functions_are_short() -> None:
    long = [
        f"{name}:{f.lineno} {f.name}"
        for name in PYTHON
        for f in functions(name)
        if f.end_lineno is not None and f.end_lineno - f.lineno >= FUNCTION_LINES_MAX
    ]
    assert long == []


@pytest.mark.parametrize("name", [n for n in PYTHON if n.startswith("dags/")])
def test_dag_files_only_name_things(name: str) -> None:
    assert length(name) <= DAG_LINES_MAX
    assert [f for f in functions(name) if len(f.body) > 20] == []


def test_every_module_has_a_docstring() -> None:
    assert [n for n in PYTHON if not ast.get_docstring(parsed(n))] == []


def test_public_names_are_listed_in_order() -> None:
    unsorted = []
    for name in PYTHON:
        for node in parsed(name).body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
                names = [str(value) for value in ast.literal_eval(node.value)]
                constants = sorted(n for n in names if n.isupper())
                others = sorted(n for n in names if not n.isupper())
                if names not in (sorted(names), constants + others):
                    classes = sorted(n for n in others if n[0].isupper())
                    rest = sorted(n for n in others if not n[0].isupper())
                    if names != constants + classes + rest:
                        unsorted.append(name)
    assert unsorted == []


def test_no_error_is_swallowed() -> None:
    swallowed = [
        f"{name}:{node.lineno}"
        for name in PYTHON
        for node in ast.walk(parsed(name))
        if isinstance(node, ast.ExceptHandler) and all(isinstance(b, ast.Pass) for b in node.body)
    ]
    assert swallowed == []


def test_no_float_near_money() -> None:
    """``float(`` appears only where pixels, seconds and similarity scores are computed."""
    allowed = ("charts", "xlsx", "sheets", "sandbox/", "pace", "banking_days", "evidence")
    found = [
        f"{name}:{node.lineno}"
        for name in PYTHON
        if not any(part in name for part in allowed)
        for node in ast.walk(parsed(name))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "float"
    ]
    assert found == []


def test_nothing_is_left_for_others() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    left = [
        f"{name}:{number}"
        for name in PYTHON
        for number, line in enumerate((ROOT / name).read_text().splitlines(), 1)
        if marks.search(line)
    ]
    assert left == []


def test_no_registry_is_named() -> None:
    hosts = re.compile(
        "|".join(
            ["py" + r"pi\.org", "python" + "hosted", "registry" + r"\.npmjs", "deb" + r"ian\.org"]
        )
    )
    named = [
        n for n in TEXT if hosts.search((ROOT / n).read_text(encoding="utf-8", errors="replace"))
    ]
    assert named == []


def test_the_lock_holds_names_versions_and_hashes_only() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = [line for line in lines if not line.startswith(" ")]
    assert all(re.match(r"[a-z0-9][a-z0-9._\[\],-]*==\S+( ; .+)? \\$", line) for line in pins), (
        pins[:3]
    )
    assert all(
        re.match(r"    --hash=sha256:[0-9a-f]{64}( \\)?$", line)
        for line in lines
        if line.startswith(" ")
    )


def test_every_dependency_is_justified() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(d for extra in project["optional-dependencies"].values() for d in extra),
    ]
    names = {re.split(r"[\[<>=~]", line)[0] for line in wanted}
    decisions = (ROOT / "DECISIONS.md").read_text()
    assert sorted(n for n in names if f"`{n}`" not in decisions) == []


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "DECISIONS.md", "CHANGELOG.md"])
def test_links_in_the_documents_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text()
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_commands_the_readme_shows_exist() -> None:
    text = (ROOT / "README.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z-]+)", text)) <= targets
    commands = {p.stem for p in (ROOT / "tieout" / "commands").glob("*.py")}
    help_text = subprocess.run(
        [str(ROOT / ".venv/bin/tieout"), "--help"], capture_output=True, text=True, check=True
    ).stdout
    shown = set(re.findall(r"^\s*(?:\$ )?(?:\.venv/bin/)?tieout ([a-z]+)", text, re.MULTILINE))
    assert commands and shown <= set(re.findall(r"^    ([a-z]+)", help_text, re.MULTILINE))
