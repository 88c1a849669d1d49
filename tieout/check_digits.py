"""Check digits of payment references: what each scheme calls a right number, and nothing else.

Every function takes digits (or an alphanumeric text for modulo 97) with their check digit at the
place its scheme puts it, and says whether they agree. Text of another kind is never right.

>>> recursive_mod10("261120000000000000000047113"), luhn("4711202611206"), mod97("RF58NORD20264711")
(True, True, True)
"""

from __future__ import annotations

from typing import Final

__all__ = ["ROW", "belgian", "luhn", "mod11", "mod97", "recursive_mod10", "weights731"]

#: The carry table of modulo 10 recursive.
ROW: Final = (0, 9, 4, 6, 8, 2, 7, 1, 3, 5)
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) > 1


def recursive_mod10(text: str) -> bool:
    """Modulo 10, recursive (Swiss ISR and QR references): the last digit checks the others."""
    if not _digits(text):
        return False
    carry = 0
    for char in text[:-1]:
        carry = ROW[(carry + int(char)) % 10]
    return (10 - carry) % 10 == int(text[-1])


def luhn(text: str) -> bool:
    """Modulo 10 with weights 2, 1 from the right (KID, FIK, Swedish OCR)."""
    if not _digits(text):
        return False
    back = text[::-1]
    return (sum(map(int, back[::2])) + sum(_DOUBLED[int(c)] for c in back[1::2])) % 10 == 0


def mod11(text: str) -> bool:
    """Modulo 11 with weights 2 to 7 from the right (KID); the remainder ten is a hyphen.

    >>> mod11("4711202611204"), mod11("4711202611205"), mod11("00000006-")
    (True, False, True)
    """
    body, last = text[:-1], text[-1:]
    if not (body.isascii() and body.isdigit() and last in set("0123456789-") and last):
        return False
    total = sum(int(char) * (2 + at % 6) for at, char in enumerate(reversed(body)))
    return "0123456789-0"[(11 - total % 11)] == last


def mod97(text: str) -> bool:
    """ISO 7064 modulo 97-10 (creditor references, IBANs): the first four stand at the end."""
    if not (text.isascii() and text.isalnum() and text.isupper() and len(text) > 4):
        return False
    return int("".join(str(int(char, 36)) for char in text[4:] + text[:4])) % 97 == 1


def belgian(text: str) -> bool:
    """Twelve digits, the last two the first ten modulo 97, where zero is written 97."""
    return _digits(text) and len(text) == 12 and (int(text[:10]) % 97 or 97) == int(text[10:])


def weights731(text: str) -> bool:
    """Weights 7, 3, 1 from the right, up to the next ten (Finnish references)."""
    if not _digits(text):
        return False
    total = sum(int(char) * (7, 3, 1)[at % 3] for at, char in enumerate(reversed(text[:-1])))
    return -total % 10 == int(text[-1])
