"""A bank and a company with GnuPG homes of their own: keys made here, files signed and encrypted.

The bank has a key of 2024 that is good, and others that must not be believed; the company knows
some of them. GnuPG itself makes everything, as a bank would.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

__all__ = ["GPG", "Gnupg", "needs_gpg"]

GPG = shutil.which("gpg")
needs_gpg = pytest.mark.skipif(GPG is None, reason="GnuPG (gpg) is not installed")

_THEN = "20240115T080000"


@dataclass
class Gnupg:
    """Homes below a short folder, and the fingerprints of the keys in them.

    Keys of the bank: ``good`` (pinned by the tests), ``other`` (known to the company, never
    pinned), ``stranger`` (not known), ``old`` (expired), ``revoked``, ``rsa`` (good, and can make
    weak signatures).
    """

    root: Path
    prints: dict[str, str] = field(default_factory=dict)

    @property
    def bank(self) -> Path:
        return self.root / "bank"

    @property
    def company(self) -> Path:
        return self.root / "company"

    @property
    def locked(self) -> Path:
        """A company's home whose private key has the passphrase ``open sesame``."""
        return self.root / "locked"

    def run(self, home: Path, *options: str, data: bytes = b"") -> bytes:
        command = [str(GPG), "--homedir", str(home), "--batch", "--no-tty", "--quiet"]
        done = subprocess.run(
            [*command, "--trust-model", "always", "--pinentry-mode", "loopback", *options],
            input=data, capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (options, done.stderr.decode())
        return done.stdout

    def key(self, home: Path, name: str, *more: str, kind: str = "ed25519", until: str = "never",
            passphrase: str = "") -> str:  # fmt: skip
        """A key that signs, with one below it that encrypts where a name for it is given."""
        secret = ["--passphrase", passphrase]
        self.run(home, *more, *secret, "--quick-gen-key", f"{name}@bank", kind, "sign", until)
        listed = self.run(home, "--list-keys", "--with-colons", f"{name}@bank").decode()
        self.prints[name] = next(x for x in listed.splitlines() if x[:3] == "fpr").split(":")[9]
        if home != self.bank:
            self.run(home, *more, *secret, "--quick-add-key", self.prints[name], "cv25519", "encr")
        return self.prints[name]

    def copy(self, name: str, source: Path, target: Path) -> None:
        public = self.run(source, "--export", self.prints[name])
        self.run(target, "--import", data=public)

    def revoke(self, name: str) -> None:
        """Tell the company that a key of the bank is revoked."""
        certificate = self.bank / "openpgp-revocs.d" / f"{self.prints[name]}.rev"
        text = certificate.read_text().replace(":-----BEGIN", "-----BEGIN")
        self.run(self.company, "--import", data=text.encode())

    def file(self, data: bytes, *options: str, signer: str | None = "good", to: str | None = "us",
             then: bool = False) -> bytes:  # fmt: skip
        """What the bank sends: signed by ``signer`` and encrypted ``to``, unless None."""
        more = ["--faked-system-time", _THEN] if then else []
        if signer:
            more += [x for name in signer.split() for x in ("-u", self.prints[name])]
            more += ["--sign"]
        if to:
            more += ["-r", self.prints[to], "--encrypt"]
        return self.run(self.bank, *more, *options, data=data)


@pytest.fixture(scope="session")
def gnupg() -> Iterator[Gnupg]:
    """Keys and homes for a whole session; no agent is left behind."""
    with tempfile.TemporaryDirectory(prefix="gpg-") as folder:
        made = Gnupg(Path(folder))
        for home in (made.bank, made.company, made.locked):
            home.mkdir(mode=0o700)
        try:
            _fill(made)
            yield made
        finally:
            for home in (made.bank, made.company, made.locked):
                subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=True)


def _fill(made: Gnupg) -> None:
    past = ("--faked-system-time", _THEN)
    for name in ("good", "other", "stranger", "revoked"):
        made.key(made.bank, name, *past)
    made.key(made.bank, "old", *past, until="30d")
    made.key(made.bank, "rsa", *past, kind="rsa2048")
    made.key(made.company, "us", *past)
    made.key(made.locked, "locked", passphrase="open sesame")
    for name in ("good", "other", "old", "revoked", "rsa"):
        made.copy(name, made.bank, made.company)
    made.copy("good", made.bank, made.locked)
    made.copy("us", made.company, made.bank)
    made.copy("locked", made.locked, made.bank)
    made.revoke("revoked")
