"""Messages of RFC 9580: the same matrix with keys of version 6, made and read by Sequoia."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from tieout.drops import gpg, pgp, sequoia
from tieout.drops.pgp import Keys
from tieout.errors import InputError

pysequoia = pytest.importorskip("pysequoia", reason="pysequoia is not installed")

DATA: Final = b":61:2611201120C17,00NTRFNONREF\r\n" * 200
_NEW = pysequoia.Profile.RFC9580
Party = dict[str, Any]


@pytest.fixture(scope="module")
def party(tmp_path_factory: pytest.TempPathFactory) -> Party:
    """Private keys by name; the company's home knows the bank, another bank and a revoked key."""
    home = tmp_path_factory.mktemp("home")
    home.chmod(0o700)
    names = ("us", "good", "other", "stranger", "revoked")
    keys = {n: pysequoia.Tsk.generate(f"{n} <{n}@bank>", profile=_NEW) for n in names}
    folder = home / sequoia.KEYS
    folder.mkdir()
    (folder / "us.asc").write_bytes(bytes(keys["us"]))
    for name in ("good", "other", "revoked"):
        certificate = keys[name].extract_certificate()
        if name == "revoked":
            revocation = certificate.revoke(keys[name].certifier())
            certificate = pysequoia.Cert.from_bytes(bytes(certificate) + bytes(revocation))
            assert certificate.is_revoked
        (folder / f"{name}.asc").write_bytes(bytes(certificate))
    return {"home": home, **keys}


def _sent(party: Party, signer: str | None = "good", to: str = "us", armor: bool = False) -> bytes:
    made = pysequoia.encrypt(
        DATA,
        recipients=[party[to].extract_certificate()],
        signer=party[signer].signer() if signer else None,
        armor=armor,
    )
    return bytes(made)


def _keys(party: Party, *signers: str, **more: Any) -> Keys:
    prints = tuple(
        party[name].extract_certificate().fingerprint.upper() for name in signers or ("good",)
    )
    return Keys(**{"name": "hansebank", "home": party["home"], "signers": prints, **more})


def _open(folder: Path, content: bytes, keys: Keys, limits: gpg.Limits | None = None) -> bytes:
    path, spool = folder / "received", folder / "spool"
    path.write_bytes(content)
    spool.mkdir(exist_ok=True)
    try:
        with pgp.opened(path, keys, spool, limits) as opened:
            return opened.path.read_bytes()
    finally:
        assert list(spool.iterdir()) == []


def _tampered(content: bytes, at: int = -60) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def test_the_pinned_bank_s_files_are_opened(tmp_path: Path, party: Party) -> None:
    assert _open(tmp_path, _sent(party), _keys(party)) == DATA
    assert _open(tmp_path, _sent(party, armor=True), _keys(party)) == DATA
    assert _open(tmp_path, _sent(party, signer=None), _keys(party, required=False)) == DATA


BAD: dict[str, tuple[str, Callable[[Party], bytes]]] = {
    "unsigned": ("FILE_UNSIGNED", lambda p: _sent(p, signer=None)),
    "signer known, not pinned": ("FILE_SIGNER_WRONG", lambda p: _sent(p, signer="other")),
    "signer not known": ("FILE_SIGNER_UNKNOWN", lambda p: _sent(p, signer="stranger")),
    "tampered": ("FILE_PGP_DAMAGED", lambda p: _tampered(_sent(p))),
    "tampered at the end": ("FILE_PGP_DAMAGED", lambda p: _tampered(_sent(p), -1)),
    "truncated": ("FILE_PGP_DAMAGED", lambda p: _sent(p)[:-10]),
    "half of it": ("FILE_PGP_DAMAGED", lambda p: _sent(p)[:3_000]),
    "not for us": ("FILE_NOT_FOR_US", lambda p: _sent(p, to="other")),
}


@pytest.mark.parametrize("name", BAD)
def test_nothing_else_is_believed(tmp_path: Path, party: Party, name: str) -> None:
    code, make = BAD[name]
    with pytest.raises(InputError) as caught:
        _open(tmp_path, make(party), _keys(party))
    assert caught.value.code == code, caught.value
    assert caught.value.remedy


def test_a_revoked_key(tmp_path: Path, party: Party) -> None:
    with pytest.raises(InputError) as caught:
        _open(tmp_path, _sent(party, signer="revoked"), _keys(party, "revoked"))
    assert caught.value.code == "FILE_SIGNER_REVOKED"


def test_limits_and_a_home_without_such_keys(tmp_path: Path, party: Party) -> None:
    content = _sent(party)
    bare = tmp_path / "bare"
    bare.mkdir(mode=0o700)
    tried = {
        "FILE_PGP_TIME": (_keys(party), gpg.Limits(seconds=0)),
        "FILE_PGP_RFC9580": (_keys(party, home=bare), None),
    }
    for code, (keys, limits) in tried.items():
        with pytest.raises(InputError) as caught:
            _open(tmp_path, content, keys, limits)
        assert caught.value.code == code
