"""``tieout parse`` on PGP files: keys by option, the passphrase never on the command line."""

from __future__ import annotations

import argparse
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.gnupg import Gnupg, needs_gpg
from tests.parsers.reading import SAMPLES
from tieout.commands import parse

pytestmark = needs_gpg


def _run(*arguments: str | Path) -> int:
    parser = argparse.ArgumentParser()
    parse.add(parser.add_subparsers(required=True))
    args = parser.parse_args(["parse", "--json", *map(str, arguments)])
    code = args.run(args)
    assert isinstance(code, int)
    return code


def _found(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def sent(tmp_path: Path, gnupg: Gnupg) -> Path:
    path = tmp_path / "statement.pgp"
    path.write_bytes(gnupg.file((SAMPLES / "batch_v08.xml").read_bytes()))
    return path


def test_with_keys_it_is_read_as_if_bare(
    sent: Path, gnupg: Gnupg, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = SAMPLES / "batch_v08.xml"
    assert _run("--pgp-home", gnupg.company, "--signer", gnupg.prints["good"], sent, bare) == 0
    opened, plain = _found(capsys)
    assert opened.pop("file") == str(sent)
    assert plain.pop("file") == str(bare)
    assert opened == plain
    assert len(opened["statements"]) == 1


def test_a_zip_comes_out(tmp_path: Path, gnupg: Gnupg, capsys: pytest.CaptureFixture[str]) -> None:
    with zipfile.ZipFile(tmp_path / "day.zip", "w") as archive:
        archive.write(SAMPLES / "batch_v08.xml", "a.xml")
    sent = tmp_path / "day.pgp"
    sent.write_bytes(gnupg.file((tmp_path / "day.zip").read_bytes()))
    assert _run("--pgp-home", gnupg.company, "--signer", gnupg.prints["good"], sent) == 0
    (found,) = _found(capsys)
    assert (found["file"], found["format"]) == (f"{sent}/a.xml", "camt.053.001.08")


def test_refused_files_never_stop_the_others(
    sent: Path, tmp_path: Path, gnupg: Gnupg, capsys: pytest.CaptureFixture[str]
) -> None:
    forged = tmp_path / "forged.pgp"
    forged.write_bytes(gnupg.file(b":20:FORGED\r\n", signer="other"))
    unsigned = tmp_path / "unsigned.pgp"
    unsigned.write_bytes(gnupg.file((SAMPLES / "batch_v08.xml").read_bytes(), signer=None))
    options = ("--pgp-home", gnupg.company, "--signer", gnupg.prints["good"])
    assert _run(*options, forged, unsigned, sent) == 1
    codes = [[f["code"] for f in found["findings"]] for found in _found(capsys)]
    assert codes == [["FILE_SIGNER_WRONG"], ["FILE_UNSIGNED"], []]
    assert _run(*options, "--unsigned", unsigned) == 0
    assert _found(capsys)[0]["format"] == "camt.053.001.08"


def test_without_keys_the_remedy_says_what_to_give(
    sent: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(sent) == 1
    (found,) = _found(capsys)
    (finding,) = found["findings"]
    assert finding["code"] == "FILE_ENCRYPTED"
    for part in ("mappings/pgp/", "signers", "--pgp-home", "--signer"):
        assert part in finding["remedy"]


def test_the_passphrase(
    tmp_path: Path,
    gnupg: Gnupg,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent = tmp_path / "locked.pgp"
    sent.write_bytes(gnupg.file((SAMPLES / "batch_v08.xml").read_bytes(), to="locked"))
    options = ("--pgp-home", gnupg.locked, "--signer", gnupg.prints["good"], sent)
    assert _run(*options) == 1
    assert [f["code"] for f in _found(capsys)[0]["findings"]] == ["FILE_PGP_PASSPHRASE"]
    (tmp_path / "secret").write_text("open sesame\n")
    number = os.open(tmp_path / "secret", os.O_RDONLY)
    assert _run("--passphrase-fd", str(number), *options) == 0
    monkeypatch.setenv("TIEOUT_PGP_PASSPHRASE", "open sesame")
    assert _run(*options) == 0


WRONG = [
    ("--signer", "AB" * 20),
    ("--unsigned",),
    ("--pgp-home", "/keys"),
    ("--pgp-home", "/keys", "--signer", "17BF07CBB10BB29F"),
    ("--pgp-home", "/keys", "--unsigned", "--passphrase-fd", "987"),
]


@pytest.mark.parametrize("options", WRONG)
def test_wrong_usage(options: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(*options, SAMPLES / "batch_v08.xml") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "PGP_" in said.err
