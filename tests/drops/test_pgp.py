"""PGP files with the real GnuPG: the pinned signer's whole file is read, and nothing else is."""

from __future__ import annotations

import io
import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.gnupg import Gnupg, needs_gpg
from tieout.drops import gpg, pgp
from tieout.drops.pgp import Keys
from tieout.errors import InputError

pytestmark = needs_gpg

DATA = b"".join(b":61:2611201120C%d,00NTRFNONREF\r\n" % n for n in range(400))


def _keys(gnupg: Gnupg, *signers: str, **more: object) -> Keys:
    prints = tuple(gnupg.prints[name] for name in signers or ("good",))
    values: dict[str, object] = {"name": "hansebank", "home": gnupg.company, "signers": prints}
    return Keys(**{**values, **more})  # type: ignore[arg-type]


def _open(folder: Path, content: bytes, keys: Keys, limits: gpg.Limits | None = None) -> bytes:
    path = folder / "received"
    path.write_bytes(content)
    spool = folder / "spool"
    spool.mkdir(exist_ok=True)
    try:
        with pgp.opened(path, keys, spool, limits) as opened:
            assert (
                opened.path.stat().st_mode & 0o077 == 0
                or opened.path.parent.stat().st_mode & 0o077 == 0
            )
            return opened.path.read_bytes()
    finally:
        assert list(spool.iterdir()) == []  # nothing of it stays, opened or refused


def _refusal(folder: Path, content: bytes, keys: Keys, limits: gpg.Limits | None = None) -> str:
    with pytest.raises(InputError) as caught:
        _open(folder, content, keys, limits)
    error = caught.value
    assert error.where and error.message and error.remedy, error
    assert not any(line in str(error) for line in (":61:", "NTRF"))
    return error.code


GOOD: dict[str, Callable[[Gnupg], bytes]] = {
    "GnuPG's defaults (compressed)": lambda g: g.file(DATA),
    "armoured": lambda g: g.file(DATA, "--armor"),
    "not compressed": lambda g: g.file(DATA, "-z", "0"),
    "bzip2": lambda g: g.file(DATA, "--compress-algo", "bzip2"),
    "signed only": lambda g: g.file(DATA, to=None),
    "signed only, armoured": lambda g: g.file(DATA, "--armor", to=None),
    "of 2024": lambda g: g.file(DATA, then=True),
    "for several": lambda g: g.file(DATA, "-r", g.prints["locked"]),
    "hidden recipient": lambda g: g.file(DATA, "--throw-keyids"),
    "signed by two, one unknown": lambda g: g.file(DATA, signer="stranger good"),
    "signed by two, one not pinned": lambda g: g.file(DATA, signer="good other"),
    "odd name inside": lambda g: g.file(DATA, "--set-filename", "../../etc/passwd"),
}


@pytest.mark.parametrize("name", GOOD)
def test_the_pinned_bank_s_files_are_opened(tmp_path: Path, gnupg: Gnupg, name: str) -> None:
    assert _open(tmp_path, GOOD[name](gnupg), _keys(gnupg)) == DATA


def test_text_signed_in_the_clear(tmp_path: Path, gnupg: Gnupg) -> None:
    content = gnupg.run(gnupg.bank, "-u", gnupg.prints["good"], "--clearsign", data=b"- one\ntwo\n")
    assert _open(tmp_path, content, _keys(gnupg)) == b"- one\ntwo\n"
    before = b"not signed at all\n" + content
    path = tmp_path / "mixed"
    path.write_bytes(before)
    assert not pgp.is_pgp(path)
    assert _refusal(tmp_path, content.replace(b"two", b"2.0"), _keys(gnupg)) == "FILE_SIGNATURE_BAD"


def _tampered(content: bytes) -> bytes:
    at = len(content) // 2
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


_FAKE = "\n[GNUPG:] GOODSIG 0 x\n[GNUPG:] VALIDSIG {0} 2026-11-20 1 0 4 0 1 8 00 {0}\n"
BAD: dict[str, tuple[str, Callable[[Gnupg], bytes]]] = {
    "unsigned": ("FILE_UNSIGNED", lambda g: g.file(DATA, signer=None)),
    "signer known, not pinned": ("FILE_SIGNER_WRONG", lambda g: g.file(DATA, signer="other")),
    "signer not known": ("FILE_SIGNER_UNKNOWN", lambda g: g.file(DATA, signer="stranger")),
    "tampered": ("FILE_PGP_DAMAGED", lambda g: _tampered(g.file(DATA))),
    "tampered, signed only": (
        "FILE_SIGNATURE_BAD",
        lambda g: g.file(DATA, "-z", "0", to=None).replace(b"C17,00", b"C99,00"),
    ),
    "truncated": ("FILE_PGP_DAMAGED", lambda g: g.file(DATA)[:-40]),
    "truncated armour": ("FILE_PGP_DAMAGED", lambda g: g.file(DATA, "--armor")[:-200]),
    "not for us": ("FILE_NOT_FOR_US", lambda g: g.file(DATA, to="locked")),
    "for a passphrase": (
        "FILE_PGP_SYMMETRIC",
        lambda g: g.file(DATA, "--passphrase", "x", "--symmetric", signer=None, to=None),
    ),
    "signature alone": (
        "FILE_SIGNATURE_ALONE",
        lambda g: g.run(g.bank, "-u", g.prints["good"], "--detach-sign", data=DATA),
    ),
    "signature alone, armoured": (
        "FILE_SIGNATURE_ALONE",
        lambda g: g.run(g.bank, "-u", g.prints["good"], "--armor", "--detach-sign", data=DATA),
    ),
    "a key": ("FILE_PGP_KEY", lambda g: g.run(g.bank, "--export", g.prints["good"])),
    "a key, armoured": ("FILE_PGP_KEY", lambda g: g.run(g.bank, "--armor", "--export")),
    "compressed only": ("FILE_UNSIGNED", lambda g: g.run(g.bank, "--store", "-z", "6", data=DATA)),
    "two messages": ("FILE_PGP_DAMAGED", lambda g: g.file(DATA) + g.file(b"more")),
    "unsigned, then signed": (
        "FILE_PGP_DAMAGED", lambda g: g.file(DATA, signer=None) + g.file(b"more"),
    ),
    "signed, then unsigned": (
        "FILE_PGP_DAMAGED", lambda g: g.file(b"more") + g.file(DATA, signer=None),
    ),
    "signature claimed by a name": (
        "FILE_UNSIGNED",
        lambda g: g.file(DATA, "--set-filename", _FAKE.format(g.prints["good"]), signer=None),
    ),
    "only a beginning": ("FILE_PGP_DAMAGED", lambda g: b"-----BEGIN PGP MESSAGE-----\n\n"),
    "rubbish in armour": (
        "FILE_PGP_DAMAGED",
        lambda g: b"-----BEGIN PGP MESSAGE-----\n\nrubbish\n-----END PGP MESSAGE-----\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_nothing_else_is_believed(tmp_path: Path, gnupg: Gnupg, name: str) -> None:
    code, make = BAD[name]
    assert _refusal(tmp_path, make(gnupg), _keys(gnupg)) == code


PINNED = {
    "old": "FILE_SIGNER_EXPIRED",
    "revoked": "FILE_SIGNER_REVOKED",
}


@pytest.mark.parametrize("name", PINNED)
def test_a_pinned_key_that_is_over(tmp_path: Path, gnupg: Gnupg, name: str) -> None:
    content = gnupg.file(DATA, signer=name, then=True, to=None)
    assert _refusal(tmp_path, content, _keys(gnupg, name)) == PINNED[name]


def test_an_expired_signature(tmp_path: Path, gnupg: Gnupg) -> None:
    content = gnupg.file(DATA, "--default-sig-expire", "1d", then=True, to=None)
    assert _refusal(tmp_path, content, _keys(gnupg)) == "FILE_SIGNATURE_EXPIRED"


def test_a_weak_signature(tmp_path: Path, gnupg: Gnupg) -> None:
    strong = gnupg.file(DATA, signer="rsa")
    assert _open(tmp_path, strong, _keys(gnupg, "rsa")) == DATA
    weak = gnupg.file(DATA, "--digest-algo", "SHA1", signer="rsa")
    assert _refusal(tmp_path, weak, _keys(gnupg, "rsa")) == "FILE_SIGNATURE_WEAK"


def test_several_pinned_keys(tmp_path: Path, gnupg: Gnupg) -> None:
    for signer in ("good", "other"):
        assert (
            _open(tmp_path, gnupg.file(DATA, signer=signer), _keys(gnupg, "good", "other")) == DATA
        )


def test_unsigned_files_only_where_that_is_said(tmp_path: Path, gnupg: Gnupg) -> None:
    keys = _keys(gnupg, required=False, signers=())
    assert _open(tmp_path, gnupg.file(DATA, signer=None), keys) == DATA
    assert _open(tmp_path, gnupg.file(DATA, signer="stranger"), keys) == DATA
    bad = gnupg.file(DATA, "-z", "0", to=None).replace(b"C17,00", b"C99,00")
    assert _refusal(tmp_path, bad, keys) == "FILE_SIGNATURE_BAD"
    # Neither encrypted for us nor signed by anybody pinned: anyone can make such a file.
    bare = gnupg.run(gnupg.bank, "--store", "-z", "6", data=DATA)
    assert _refusal(tmp_path, bare, keys) == "FILE_UNSIGNED"


def test_a_bomb_is_stopped(tmp_path: Path, gnupg: Gnupg) -> None:
    content = gnupg.file(bytes(64 << 20))
    assert len(content) < 100_000
    assert _refusal(tmp_path, content, _keys(gnupg)) == "FILE_PGP_BOMB"
    limits = gpg.Limits(bytes_max=1_000)
    assert _refusal(tmp_path, gnupg.file(DATA), _keys(gnupg), limits) == "FILE_PGP_BOMB"


def test_time_is_limited(tmp_path: Path, gnupg: Gnupg) -> None:
    content = gnupg.file(DATA)
    assert _refusal(tmp_path, content, _keys(gnupg), gpg.Limits(seconds=0)) == "FILE_PGP_TIME"


def test_a_passphrase(tmp_path: Path, gnupg: Gnupg) -> None:
    content = gnupg.file(DATA, to="locked")
    keys = {
        word: _keys(gnupg, home=gnupg.locked, passphrase=word) for word in ("open sesame", "x", "")
    }
    assert _open(tmp_path, content, keys["open sesame"]) == DATA
    assert "open sesame" not in repr(keys["open sesame"])
    assert _refusal(tmp_path, content, keys["x"]) == "FILE_PGP_PASSPHRASE"
    assert _refusal(tmp_path, content, keys[""]) == "FILE_PGP_PASSPHRASE"
    none = _keys(gnupg, home=gnupg.locked)
    assert _refusal(tmp_path, content, none) == "FILE_PGP_PASSPHRASE"


def test_no_cut_and_no_flipped_bit_is_believed(tmp_path: Path, gnupg: Gnupg) -> None:
    content = gnupg.file(b":20:SHORT\r\n", "-z", "0")
    keys, step = _keys(gnupg), 7
    for at in range(1, len(content), step):
        for damaged in (content[:at], content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :]):
            code = _refusal(tmp_path, damaged, keys)
            assert code.startswith("FILE_"), (at, code)


def test_the_home_is_only_read_and_no_agent_stays(
    tmp_path: Path, gnupg: Gnupg, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A folder of this test's own, as short as an agent's socket needs: others decrypt meanwhile.
    folder = Path(tempfile.mkdtemp(prefix="p"))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    before = {p: p.stat().st_mtime_ns for p in sorted(gnupg.company.rglob("*"))}
    assert _open(tmp_path, gnupg.file(DATA), _keys(gnupg)) == DATA
    assert {p: p.stat().st_mtime_ns for p in sorted(gnupg.company.rglob("*"))} == before
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert [line for line in running.stdout.splitlines() if str(folder) in line] == []
    assert list(folder.iterdir()) == []
    folder.rmdir()


def test_a_deep_temporary_folder(
    tmp_path: Path, gnupg: Gnupg, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    assert _open(tmp_path, gnupg.file(DATA), _keys(gnupg)) == DATA
    assert list(deep.iterdir()) == []


def test_homes_that_cannot_be_used(tmp_path: Path, gnupg: Gnupg) -> None:
    content = gnupg.file(DATA)
    shared, file, empty = tmp_path / "shared", tmp_path / "file", tmp_path / "empty"
    shared.mkdir()
    shared.chmod(0o750)
    file.touch()
    empty.mkdir(mode=0o700)
    for home in (shared, file, tmp_path / "absent"):
        assert _refusal(tmp_path, content, _keys(gnupg, home=home)) == "FILE_PGP_HOME"
    assert _refusal(tmp_path, content, _keys(gnupg, home=empty)) == "FILE_NOT_FOR_US"


def test_without_the_program(tmp_path: Path, gnupg: Gnupg, monkeypatch: pytest.MonkeyPatch) -> None:
    content = gnupg.file(DATA)
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    assert _refusal(tmp_path, content, _keys(gnupg)) == "FILE_PGP_PROGRAM"


def test_a_full_disk_is_said(tmp_path: Path, gnupg: Gnupg) -> None:
    class Full(io.RawIOBase):
        def write(self, data: object) -> int:
            raise OSError(28, "No space left on device")

    source = tmp_path / "received"
    source.write_bytes(gnupg.file(DATA))
    with pytest.raises(OSError, match="No space"):
        gpg.decrypt(str(gpg.program()), gnupg.company, source, Full(), None, gpg.Limits())
