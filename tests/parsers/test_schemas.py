"""What ISO's schemas are for here: what we write must be valid, what we read need not be.

Files rendered by the sandbox, and our own samples but for those that show a bank's mistake, are
valid. Banks' files often are not: no reader looks at a schema. The schemas stand in the corpus
beside the checkout; without it these tests are skipped.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

import parsers
from sandbox.world import DropFile, build
from tests.parsers.corpus import CORPUS, files
from tests.parsers.corpus_known import REFUSED
from tests.parsers.reading import SAMPLES
from tieout.errors import InputError

_SCHEMAS = CORPUS / "xsd"
pytestmark = pytest.mark.skipif(not _SCHEMAS.is_dir(), reason=f"no schemas at {_SCHEMAS}")

_SPACE = re.compile(
    r"\{urn:iso:std:iso:20022:tech:xsd:((?:camt|pain)\.\d{3}\.\d{3}\.\d\d)\}Document"
)

#: Our samples that are not valid, and what of a real bank they show.
BENT = {
    "batch_v08.xml": "no BkTxCd",
    "pain001_v09.xml": "blanks in an IBAN",
    "report_v01.xml": "a dash in a BBAN",
    "report_v08.xml": "no version of the message in the header",
}


@cache
def _schema(name: str) -> etree.XMLSchema | None:
    path = _SCHEMAS / f"{name}.xsd"
    return etree.XMLSchema(etree.parse(str(path))) if path.is_file() else None


def _errors(content: bytes) -> list[str] | None:
    """What is invalid, for every document in it; None where no schema is about it."""
    found: list[str] | None = None
    try:
        root = etree.fromstring(content)
    except etree.XMLSyntaxError:
        return None
    for element in root.iter("{*}Document"):
        name = _SPACE.fullmatch(str(element.tag))
        schema = _schema(name[1]) if name else None
        if schema is not None:
            found = found or []
            document = etree.fromstring(etree.tostring(element))
            if not schema.validate(document):
                found.append(str(schema.error_log[0].message))
    return found


def _rendered() -> list[DropFile]:
    world = build()
    return [
        f for f in world.files if b"<Document" in f.content[:500] and b"</Document>" in f.content
    ]


def test_what_the_sandbox_renders_is_valid() -> None:
    errors = {file.path: _errors(file.content) for file in _rendered()}
    assert len(errors) >= 3
    assert all(found == [] for found in errors.values()), errors


def test_our_samples_are_valid_but_for_those_that_show_a_mistake() -> None:
    paths = [*sorted(SAMPLES.glob("*.xml")), *sorted(Path("samples").glob("*.xml"))]
    errors = {path.name: _errors(path.read_bytes()) for path in paths}
    judged = {name for name, found in errors.items() if found is not None}
    assert len(judged) >= 5
    assert {name for name in judged if errors[name]} == set(BENT)


def test_a_schema_is_never_a_gate() -> None:
    """Files that are not valid are read like the others."""
    invalid = read = 0
    for path in files("camt.052", "camt.053", "camt.054", "pain.001", "pain.002"):
        if not _errors(path.read_bytes()):
            continue
        invalid += 1
        try:
            parsers.read_file(path)
            read += 1
        except InputError as error:
            assert REFUSED[path.name] == error.code
    assert invalid > 20
    assert read > invalid * 0.8
