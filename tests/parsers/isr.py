"""ISR records (v11) for tests: type 3 and type 4, credits and totals."""

from __future__ import annotations

from tieout import check_digits

__all__ = ["ACCOUNT", "isr", "isr_total", "long_isr", "long_total", "ref"]

ACCOUNT = "010004710"


def ref(number: int) -> str:
    """27 digits with the right check digit."""
    body = f"2611{number:022}"
    return next(f"{body}{d}" for d in range(10) if check_digits.recursive_mod10(f"{body}{d}"))


def isr(cents: int | str, **more: str) -> str:
    """A type 3 record."""
    amount = f"{cents:010}" if isinstance(cents, int) else cents
    line = (
        more.get("code", "002")
        + more.get("account", ACCOUNT)
        + more.get("ref", ref(4711))
        + amount
        + more.get("deposit", "0007  0007")
        + more.get("dates", "261119261120261121")
        + more.get("microfilm", "000000010")
        + "0"
        + "0" * 9
        + more.get("price", "0090")
    )
    assert len(line) == 100, line
    return line + "\r\n"


def isr_total(cents: int, count: int, price: int = 0, **more: str) -> str:
    """A type 3 total, 87 columns."""
    line = (
        more.get("code", "999")
        + more.get("account", ACCOUNT)
        + "9" * 27
        + f"{cents:012}{count:012}261120{price:09}"
        + "0" * 9
    )
    assert len(line) == 87, line
    return line + "\r\n"


def long_isr(cents: int, **more: str) -> str:
    """A type 4 record."""
    line = (
        more.get("code", "011")
        + "03"
        + "1"
        + more.get("account", ACCOUNT)
        + more.get("ref", ref(4711))
        + more.get("currency", "CHF")
        + f"{cents:012}"
        + more.get("deposit", "000420261120003141592653000000001").ljust(35)
        + more.get("dates", "202611192026112020261121")
        + "0"
        + more.get("price", "CHF000090")
    ).ljust(200)
    assert len(line) == 200, line
    return line + "\r\n"


def long_total(cents: int, count: int, price: int = 0, **more: str) -> str:
    """A type 4 total."""
    currency = more.get("currency", "CHF")
    line = (
        more.get("code", "991" if currency == "CHF" else "981")
        + "99"
        + "1"
        + more.get("account", ACCOUNT)
        + "9" * 27
        + currency
        + f"{cents:012}{count:012}20261120{currency}{price:011}"
    ).ljust(200)
    assert len(line) == 200, line
    return line + "\r\n"
