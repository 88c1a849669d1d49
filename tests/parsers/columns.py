"""Records of fixed width for tests, by the columns the format's documents count."""

from __future__ import annotations

__all__ = [
    "CFONB", "cfonb", "cfonb_file", "coda", "coda_file", "coda_head", "n43", "n43_file",
    "overpunched", "placed",
]  # fmt: skip

_PLUS, _MINUS = "{ABCDEFGHI", "}JKLMNOPQR"
CFONB = "30066    10947EUR2 00012345678"


def placed(width: int, fields: dict[int, str]) -> str:
    """Texts at their columns (from 1), blanks elsewhere."""
    out = [" "] * width
    for column, text in fields.items():
        out[column - 1 : column - 1 + len(text)] = text
    assert len(out) == width, fields
    return "".join(out)


def _sign(minor: int) -> str:
    return "1" if minor < 0 else "0"


def coda_head(**more: str) -> str:
    """Record 0."""
    fields = {1: "0000020112653905", 25: "FILEREF001", 35: "NORDLICHT BVBA", 61: "KREDBEBB"}
    return placed(128, {**fields, 72: "00123456789", 84: "00000", 128: more.get("version", "2")})


def coda(kind: str, sequence: int, detail: int, minor: int = 0, **more: str) -> str:
    """Records 2.1 to 3.3 of a movement; ``text`` is the communication."""
    fields = {1: kind, 3: f"{sequence:04}{detail:04}"}
    if kind == "21":
        fields |= {
            11: more.get("bank", f"BANKREF{sequence:04}{detail:04}"),
            32: _sign(minor) + f"{abs(minor) * 10:015}",
            48: more.get("valued", "201126"),
            54: more.get("code", "00150000"),
            62: "1" if "coded" in more else "0",
            63: more.get("coded", more.get("text", ""))[:53],
            116: more.get("booked", "201126") + "007",
            125: "0" + more.get("next", "0") + " " + more.get("link", "0"),
        }
        return placed(128, fields)
    starts = {"22": 11, "23": 83, "31": 41, "32": 11, "33": 11}
    fields[starts[kind]] = more.get("text", "")
    if kind == "22":
        fields |= {64: more.get("ref", ""), 99: more.get("bic", ""), 113: more.get("returned", "")}
    elif kind == "23":
        fields |= {11: more.get("account", "").ljust(34) + "EUR", 48: more.get("name", "")}
    elif kind == "31":
        fields |= {11: "BANKREF", 32: "00150000" + more.get("form", "0")}
    fields[126] = more.get("next", "0") + " " + more.get("link", "0")
    return placed(128, fields)


def coda_file(
    *movements: str, opening: int = 10_000, closing: int = 10_000, currency: str = "EUR",
    account: str = "BE68539007547034", structure: str = "2", number: str = "007", last: str = "2",
) -> str:  # fmt: skip
    """A whole envelope of one statement around its movements."""
    where = account.ljust(34) + currency if structure != "0" else f"{account} {currency}0BE"
    old = placed(128, {
        1: "1" + structure + number, 6: where, 43: _sign(opening) + f"{abs(opening) * 10:015}",
        59: "191126", 65: "NORDLICHT BVBA", 91: "ZICHTREKENING", 126: number,
    })  # fmt: skip
    new = placed(128, {
        1: "8" + number, 5: where, 42: _sign(closing) + f"{abs(closing) * 10:015}", 58: "201126",
        128: "0",
    })  # fmt: skip
    own = [m for m in movements if m[:2] == "21" and m[6:10] == "0000"]
    amounts = [(m[31], int(m[32:47])) for m in own if m[32:47].isdigit()]
    debit = sum(a for sign, a in amounts if sign == "1")
    credit = sum(a for sign, a in amounts if sign == "0")
    notes = [m for m in movements if m[0] == "4"]
    count = len(movements) - len(notes) + 2
    end = placed(128, {
        1: "9", 17: f"{count:06}", 23: f"{debit:015}{credit:015}", 128: last,
    })  # fmt: skip
    body = [m for m in movements if m[0] != "4"]
    return "".join(line + "\r\n" for line in [coda_head(), old, *body, new, *notes, end])


def overpunched(minor: int, width: int = 14) -> str:
    """Digits with the sign on the last one."""
    digits = f"{abs(minor):0{width}}"
    return digits[:-1] + (_MINUS if minor < 0 else _PLUS)[int(digits[-1])]


def cfonb(code: str, minor: int | str = 0, **more: str) -> str:
    """A record of 120 columns; ``text`` is the label (04) or the complement (05)."""
    fields = {1: code + more.get("account", CFONB), 35: more.get("booked", "201126")}
    if code == "05":
        return placed(120, fields | {33: "B1", 46: more["kind"], 49: more["text"]})
    fields[91] = minor if isinstance(minor, str) else overpunched(minor)
    if code == "04":
        fields |= {
            33: more.get("cib", "18"), 41: more.get("rejected", ""),
            43: more.get("valued", "201126"), 49: more.get("text", "VIREMENT"),
            82: more.get("number", "0000000"), 105: more.get("ref", ""),
        }  # fmt: skip
    return placed(120, fields)


def cfonb_file(*body: str, opening: int = 10_000, closing: int = 10_000, **more: str) -> str:
    """A whole group around its entries."""
    account = {"account": more["account"]} if "account" in more else {}
    first = cfonb("01", opening, booked="191126", **account)
    return "\r\n".join([first, *body, cfonb("07", closing, **account), ""])


def n43(minor: int, *texts: str, **more: str) -> list[str]:
    """Record 22 with its records 23."""
    mark = more.get("mark", "1" if minor < 0 else "2")
    head = placed(80, {
        1: "22    0001", 11: more.get("booked", "261120") + more.get("valued", "261120"),
        23: more.get("concept", "04016") + mark + f"{abs(minor):014}",
        43: more.get("document", "0" * 10), 53: more.get("ref1", "0" * 12),
        65: more.get("ref2", ""),
    })  # fmt: skip
    return [head, *(placed(80, {1: f"23{n:02}", 5: text}) for n, text in enumerate(texts, 1))]


def n43_file(
    *body: str, opening: int = 10_000, closing: int = 10_000, currency: str = "978",
    account: str = "999900010123456789", count: int = 0, end: bool = True,
) -> str:  # fmt: skip
    """A whole file of one account around its records."""
    marks = [(r[27], int(r[28:42])) for r in body if r[:2] == "22" and r[28:42].isdigit()]
    debits = [a for mark, a in marks if mark == "1"]
    credits = [a for mark, a in marks if mark == "2"]
    side = {True: "1", False: "2"}
    lines = [
        f"11{account}261120261120{side[opening < 0]}{abs(opening):014}{currency}3NORDLICHT SL",
        *body,
        f"33{account}{len(debits):05}{sum(debits):014}{len(credits):05}{sum(credits):014}"
        f"{side[closing < 0]}{abs(closing):014}{currency}",
    ]
    if end:
        lines.append("88" + "9" * 18 + f"{count or len(lines):06}")
    return "".join(line.ljust(80) + "\r\n" for line in lines)
