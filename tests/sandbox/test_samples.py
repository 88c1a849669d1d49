"""The shipped samples are what the generator makes, and they tie to the three open things."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from sandbox.samples import main, make_samples

SAMPLES = Path(__file__).resolve().parents[2] / "samples"


def cents(text: str) -> int:
    return int(text.replace(".", "").replace(",", ""))


def test_shipped_samples_are_the_made_ones(tmp_path: Path) -> None:
    assert main([str(tmp_path)]) == 0
    for name, content in make_samples().items():
        assert (SAMPLES / name).read_bytes() == content == (tmp_path / name).read_bytes()


def test_ledgers_agree_and_tie_to_the_statement() -> None:
    made = make_samples()
    plain = list(csv.DictReader(io.StringIO(made["ledger.csv"].decode())))
    german = csv.DictReader(io.StringIO(made["ledger-dynamics.csv"].decode()), delimiter=";")
    assert [cents(row["Betrag"]) for row in german] == [cents(row["amount"]) for row in plain]
    text = made["bank-mt940.sta"].decode()
    opening = cents(text.split(":60F:C261119EUR")[1].split("\r\n")[0])
    closing = cents(text.split(":62F:C261120EUR")[1].split("\r\n")[0])
    books = opening + sum(cents(row["amount"]) for row in plain)
    # In transit: -333.20; not in the books: a charge of 8.90 and 250.00 received.
    assert closing == books + 33320 - 890 + 25000
    assert f"{closing // 100}.{closing % 100:02d}".encode() in made["bank-camt053.xml"]
