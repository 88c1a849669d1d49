"""Which keys belong to a file, what a mapping may say, and how GnuPG's status lines are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tieout.drops import pgp
from tieout.drops.gpg_status import verdict
from tieout.errors import ProfileError

_ONE, _TWO = "AB" * 20, "CD" * 20


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pgp").mkdir()
    monkeypatch.setenv("TIEOUT_MAPPINGS", str(tmp_path))
    monkeypatch.setenv("TIEOUT_PGP", "/etc/tieout/pgp")
    return tmp_path / "pgp"


def test_a_mapping(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spaced = " ".join(_ONE[at : at + 4].lower() for at in range(0, 40, 4))
    (folder / "hanse-bank.toml").write_text(
        f'paths = ["hansebank/*"]\nhome = "hansebank"\nsigners = ["{spaced}"]\n'
    )
    (folder / "alpenbank.toml").write_text(
        'drop = "banks"\npaths = ["*"]\nhome = "/keys/alpen"\nsignature = "optional"\n'
    )
    monkeypatch.setenv("TIEOUT_PGP_PASSPHRASE_HANSE_BANK", "open sesame")
    first, second = pgp.load_keys()
    assert (first.name, first.home, first.required) == ("alpenbank", Path("/keys/alpen"), False)
    assert (second.name, second.home) == ("hanse-bank", Path("/etc/tieout/pgp/hansebank"))
    assert (second.signers, second.required, second.passphrase) == ((_ONE,), True, "open sesame")
    known = [second, first]
    assert pgp.keys_for(known, "banks", "hansebank/2026/day.pgp") is second
    assert pgp.keys_for(known, "other", "hansebank/day.pgp") is second
    assert pgp.keys_for(known, "banks", "else/day.pgp") is first
    assert pgp.keys_for(known, "other", "else/day.pgp") is None
    assert pgp.keys_for([], "banks", "day.pgp") is None


def test_the_example_is_a_whole_mapping(root: Path, folder: Path) -> None:
    text = (root / "mappings" / "pgp" / "_example.toml").read_text()
    (folder / "_bank.toml").write_text(text)
    assert pgp.load_keys() == []
    (folder / "_bank.toml").rename(folder / "bank.toml")
    (keys,) = pgp.load_keys()
    assert keys.required and len(keys.signers[0]) == 40
    assert pgp.keys_for([keys], "banks", "hansebank/2026-11-20.xml.pgp") is keys


WRONG = {
    'paths = ["*"]\nsigners = ["%s"]' % _ONE: "home",  # noqa: UP031
    'home = "x"\nsigners = ["%s"]' % _ONE: "paths",  # noqa: UP031
    'paths = ["*"]\nhome = "x"': "signers",
    'paths = ["*"]\nhome = "x"\nsigners = ["17BF07CBB10BB29F"]': "fingerprint",
    'paths = ["*"]\nhome = "x"\nsigners = ["%s"]\nsignature = "no"' % _ONE: "signature",  # noqa: UP031
    'paths = ["*"]\nhome = "x"\nsigner = ["%s"]' % _ONE: "signers",  # noqa: UP031
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_mapping_is_said(folder: Path, text: str) -> None:
    (folder / "bank.toml").write_text(text)
    with pytest.raises(ProfileError) as caught:
        pgp.load_keys()
    assert WRONG[text] in str(caught.value)
    assert "bank.toml" in caught.value.where


_GOODSIG = f"[GNUPG:] GOODSIG {_ONE[-16:]} bank"
_VALIDSIG = f"[GNUPG:] VALIDSIG {_TWO} 2026-11-20 1795132800 0 4 0 22 10 00 {_ONE}"
STATUS: dict[str, tuple[list[str], list[tuple[str, str]]]] = {
    # lines, signatures as (primary key, state)
    "good": ([_GOODSIG, _VALIDSIG], [(_ONE, "good")]),
    "good, never valid": ([_GOODSIG], [(_ONE[-16:], "bad")]),
    "valid, never good": ([_VALIDSIG], []),
    "valid for an expired key": (
        [_GOODSIG.replace("GOODSIG", "EXPKEYSIG"), _VALIDSIG], [(_ONE, "key expired")],
    ),
    "revoked": ([_GOODSIG.replace("GOODSIG", "REVKEYSIG"), _VALIDSIG], [(_ONE, "key revoked")]),
    "SHA-1": ([_GOODSIG, _VALIDSIG.replace(" 10 00 ", " 2 00 ")], [(_ONE, "weak")]),
    "cut": ([_GOODSIG, _VALIDSIG[:80]], [(_ONE[-16:], "bad")]),
    "not a status line": (["gpg: " + _GOODSIG, " " + _GOODSIG, _GOODSIG[9:]], []),
    "unknown key": (
        [f"[GNUPG:] ERRSIG {_ONE[-16:]} 22 10 00 1795132800 9 {_TWO}"], [(_TWO, "unknown")],
    ),
    "unknown key, old": (
        [f"[GNUPG:] ERRSIG {_ONE[-16:]} 22 10 00 1795132800 9"], [(_ONE[-16:], "unknown")],
    ),
    "empty": (["", "[GNUPG:] ", "[GNUPG:] VALIDSIG", "[GNUPG:] NO_SECKEY"], []),
}  # fmt: skip


@pytest.mark.parametrize("name", STATUS)
def test_status_lines(name: str) -> None:
    lines, wanted = STATUS[name]
    found = verdict(lines)
    assert [(s.signer, s.state) for s in found.signatures] == wanted
    assert not found.decrypted


def test_decrypted_means_integrity_proven() -> None:
    lines = ["[GNUPG:] BEGIN_DECRYPTION", "[GNUPG:] DECRYPTION_OKAY", "[GNUPG:] GOODMDC"]
    assert verdict(lines).decrypted
    assert not verdict(lines[:2]).decrypted
    assert not verdict([*lines, "[GNUPG:] BADMDC"]).decrypted
    assert not verdict([*lines, "[GNUPG:] DECRYPTION_FAILED"]).decrypted
