"""Profiles: what a person who edits a mapping is told."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tieout.adjustments.policy import Subject, load_policy
from tieout.errors import ProfileError
from tieout.masterdata import load_accounts, resolve
from tieout.profiles import allow_keys, load, require


def test_an_unknown_key_names_the_nearest_right_one() -> None:
    with pytest.raises(ProfileError, match="did you mean 'gl_account'"):
        allow_keys({"gl_acount": 1}, ["gl_account", "journal"], "x.toml")


def test_a_missing_mapping_names_the_nearest_one(tmp_path: Path) -> None:
    (tmp_path / "default.toml").write_text("name = 'default'\n")
    with pytest.raises(ProfileError, match="did you mean 'default'"):
        load(tmp_path / "defualt.toml")


def test_bad_syntax_says_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text("a = 1\nb =\n")
    with pytest.raises(ProfileError, match="line 2"):
        load(path)


def test_a_value_of_the_wrong_type_is_shown() -> None:
    with pytest.raises(ProfileError, match="give version as int"):
        require({"version": True}, "version", int, "x.toml")


def test_the_example_companys_accounts_load_and_are_found_by_number() -> None:
    accounts = load_accounts()
    assert [a.code for a in accounts] == sorted(a.code for a in accounts)
    assert len({a.currency for a in accounts}) == 2
    for account in accounts:
        spaced = " ".join(account.account_id)
        assert resolve(accounts, spaced.lower(), account.currency) == account
    assert resolve(accounts, "DE00000000000000000000", "EUR") is None
    assert resolve(accounts, None, None) is None


def test_every_account_is_named_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (Path("mappings/accounts/nord-usd.toml")).read_text(encoding="utf-8")
    (tmp_path / "accounts").mkdir()
    (tmp_path / "accounts" / "a.toml").write_text(text)
    (tmp_path / "accounts" / "b.toml").write_text(text.replace('"NORD-USD"', '"OTHER"'))
    monkeypatch.setenv("TIEOUT_MAPPINGS", str(tmp_path))
    with pytest.raises(ProfileError, match="belongs to NORD-USD and to OTHER"):
        load_accounts()


CASES = """
on       amount   words                       subfamily swift counterparty class    item        rule
entry    -12.90   Kontofuehrung 11/2026       -         -     no           -        -           bank charges
entry    -12.90   anything                    CHRG      -     no           -        -           bank charges
entry    -12.90   anything                    -         NCHG  no           -        -           bank charges
entry    -12.90   Kontofuehrung 11/2026       -         -     yes          -        -           -
entry    12.90    Kontofuehrung 11/2026       -         -     no           -        -           -
entry    -100.01  Entgelt                     -         -     no           -        -           -
entry    -28.75   Sollzinsen                  -         -     no           -        -           interest paid
entry    14.11    INTEREST                    -         NINT  no           -        -           interest received
entry    77.00    nobody knows                -         -     no           -        -           -
residual -12.50   -                           -         -     no           charge   -           charges withheld from a payment
residual -25.01   -                           -         -     no           charge   -           -
residual 12.50    -                           -         -     no           charge   -           -
residual 0.05     -                           -         -     no           rounding -           rounding
residual -0.06    -                           -         -     no           rounding -           -
group    3197.53  -                           -         -     no           -        receivable  receipt of a receivable
group    -368.25  -                           -         -     no           -        expense     expense reimbursement
"""


@pytest.mark.parametrize("line", CASES.strip().splitlines()[1:])
def test_the_shipped_policy_decides_as_an_accountant_reads_it(line: str) -> None:
    on, amount, words, subfamily, swift, party, residual, item, rule = _cells(line)
    subject = Subject(
        on=on,  # type: ignore[arg-type]
        amount=Decimal(amount),
        narrative=words,
        subfamily=subfamily,
        swift_type=swift,
        counterparty=party == "yes",
        residual_class=residual,
        item_kind=item,
    )
    found = load_policy("default").rule_for(subject)
    assert (found.name if found else "") == rule


def _cells(line: str) -> list[str]:
    header = CASES.strip().splitlines()[0]
    starts = [header.index(f"{name} ") for name in header.split()[:-1]] + [header.index("rule")]
    ends = [*starts[1:], None]
    cells = [line[a:b].strip() for a, b in zip(starts, ends, strict=True)]
    return ["" if cell == "-" else cell for cell in cells]
