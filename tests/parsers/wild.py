"""Bank files made up by chance for tests: every usual form, and many unusual ones beside it."""

from __future__ import annotations

import random

__all__ = ["damaged", "wild_bai", "wild_mt"]

_JUNK = (
    b":86:", b"\n:61:", b"-", b"\r\n-\r\n", b"?20", b"?32", b"EREF+", b"SVWZ+", b" ", b"\xc3\xa4",
    b"\xe4", b"\xc2\xa0", b"\x00", b":62F:", b"IBAN: DE", b"COAM+EUR1,", b"RTRN+AC04", b",", b"//",
    b"NONREF", b"?", b"+", b"D", b"RC", b"0", b"9", b"\t", b"{1:", b"$", b":", b"\n:\n", b"\r",
    b"@@:", b"/OCMT/EUR5,/", b"KREF", b"EF+", b"20", b"?21", b"?60", b"?00", b"230229", b"999999",
    b"\n\n", b"\n-\n", b"N", b"DE12500105170648489890", b"-}{5:}", b":34F:EUR0,\r\n", b":20:",
    b":NS:01X\r\n", b"notprovided", b"/", b"16,", b"88,", b"\n88,", b"/\n16,165,1,,,\n", b"49,",
    b"03,1,,/", b",,", b"V,", b"S,1,2,3", b"-5", b"1.5", b"\x1a", b"890", b"   ", b"98,", b"99,",
)  # fmt: skip
_TEXTS = (
    "RENT MAY", "A", "EREF+E-1", "KREF+K1", "MREF+M 1", "PREF+P", "SVWZ+INVOICE 7", "PURP+SALA",
    "ABWA+ANNA", "ABWE+BEN", "BREF+B", "RREF+R", "EREF+NOTPROVIDED", "GRÖßE ÜBER", "EREF", "+X",
    "F+E-2", "REF+", "SV", "WZ+ABC", "a+b?c", "??", "?5", "E", "RE", "X" * 25, "Y" * 26, "Z" * 27,
    "Ä" * 26, "DEBT+DE98", "CRED+DE98ZZZ", "SVWZ+X" + "Z" * 19, "W" * 20 + " SVWZ", "+TEXT", "S",
    " BOTH ", "SVWZ+ KEINE INFORMATION VORHANDEN",
)  # fmt: skip
_ODD_TEXTS = (
    "", "NOTPROVIDED", " ", "keine information vorhanden", "RTRN+AC04", "OAMT+EUR5,00", "€",
    "COAM+EUR1", "IBAN: DE02120300000000202051", "BIC: HANSDEHH", "MEIN IBAN:DE02", "RR", "SVWZ+",
)  # fmt: skip
_OWN = (
    "NONREF", "", "E-1", "KREF", "EREF", "INV 7", "nonref", "DE02120300000000202051", "A/B", "É1",
    "NOTPROVIDED", "1234567890123456", "ABCDEFGHIJKLMN  NAME OF SOMEBODY", "GB82WEST12345698",
)  # fmt: skip
_NOTES = (
    "REF 7", "/OCMT/USD5,00/CHGS/EUR1,00", "NONREF", "DE02 1203 0000 0000 2020 51", " PADDED ",
    "-DASH", "}X", "keine information vorhanden", "Ü", "{X", "$1",
)  # fmt: skip


def damaged(chance: random.Random, content: bytes) -> bytes:
    """The content with a few bytes or lines changed, put in, taken out, doubled, or cut off."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        at, kind = chance.randrange(len(data) + 1), chance.randrange(7)
        junk = chance.choice(_JUNK)
        if kind == 0:
            data[at : at + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            data[at:at] = junk
        elif kind == 2:
            del data[at : at + chance.choice((1, 1, 2, 5, 30, 100))]
        elif kind == 3:
            data[at : at + len(junk)] = junk
        elif kind == 4 and chance.random() < 0.3:
            data = data[:at] or data
        else:
            lines = bytes(data).split(b"\n")
            _change_line(chance, lines, kind)
            data = bytearray(b"\n".join(lines))
    return bytes(data)


def _change_line(chance: random.Random, lines: list[bytes], kind: int) -> None:
    at = chance.randrange(len(lines))
    if kind == 4:
        del lines[at]
    elif kind == 5:
        lines.insert(chance.randrange(len(lines)), lines[at])
    else:
        cut = chance.randrange(len(lines[at]) + 1)
        lines[at] = lines[at][:cut] + b"\n" + lines[at][cut:]


def wild_mt(chance: random.Random, entries: int, *, odd: float, encoding: str = "") -> bytes:
    """An MT940 or MT942 file; `odd` is the share of what the usual form does not have."""
    end = chance.choice(("\r\n", "\n"))
    lines: list[str] = []
    left = entries
    while left > 0:
        count = chance.randrange(1, left + 1)
        left -= count
        report = chance.random() < odd / 2
        lines += [":20:REF", ":25:37040044/123", f":28C:{chance.randrange(9)}/1"]
        lines.append(":34F:EUR0," if report else f":60F:C261119{chance.choice(('EUR', 'JPY'))}10,")
        for _ in range(count):
            lines += _entry(chance, odd)
        lines += [":90D:1EUR1,", "-"] if report else [":62F:C261120EUR9,5", "-"]
    return end.join([*lines, ""]).encode(encoding or chance.choice(("utf-8", "utf-8", "utf-16")))


def _entry(chance: random.Random, odd: float) -> list[str]:
    def usually(usual: str, *unusual: str) -> str:
        return chance.choice(unusual) if chance.random() < odd else usual

    value = usually(f"2611{chance.randrange(1, 31):02}", "260230", "791231", "800101", "26 120")
    day = usually(value[2:], "", "0101", "1231", "0229", "    ", "9999")
    mark = usually(chance.choice("CD") + "R", "C", "RD", "RC", "RDD", "EC", "DD", "X")
    money = usually(f"{chance.randrange(10**6)},{chance.randrange(100):02}",
                    "0,", "0,00", "12", "1.234,5", "1,23456", "1,234567", "99999999999,99",
                    "123456789012,1", ",5", "007,50")  # fmt: skip
    kind = usually(chance.choice(("NTRF", "N051", "SCHG", "FMSC")), "N 51", "NONR", "XTRF", "N", "")
    own = usually("NONREF", *_OWN)
    bank = usually(f"//B{chance.randrange(10**6)}", "", "//", "// ", "//NONREF", "///X", "//A//B")
    lines = [f":61:{value}{day}{mark}{money}{kind}{own}{bank}"]
    if chance.random() < odd:
        lines.append(chance.choice(_NOTES))
    if chance.random() < odd / 4:
        lines.append(chance.choice(_NOTES))
    return lines + _text(chance, odd)


def _text(chance: random.Random, odd: float) -> list[str]:
    shape = chance.random()
    if shape < odd / 4:
        return []
    if shape < odd / 2:
        return chance.choice(([":86:FREE TEXT", "LINE"], [":86:/NAME/ANNA/REMI/X/IBAN/DE1"],
                              [":86:"], [":86:A", ":86:B"], [":86:166+20A+21B"], [":86:166"],
                              [":86:166?20A", "", "?21B"], [":86:166?99?20X"]))  # fmt: skip
    codes = ["00", "10", "20", "21", "22", "23", "30", "31", "32", "33", "34", "60", "61"]
    codes = [code for code in codes if chance.random() < 0.8]
    if chance.random() < odd / 3:
        chance.shuffle(codes)
    if codes and chance.random() < odd / 3:
        codes.append(chance.choice(codes))
    text = "166" + "".join(f"?{code}{_value(chance, code, odd)}" for code in codes)
    width = 65 if chance.random() < 0.7 else chance.randrange(3, 70)
    line = ":86:" + text
    return [line[at : at + width] for at in range(0, len(line), width)]


def _value(chance: random.Random, code: str, odd: float) -> str:
    if chance.random() < odd:
        return chance.choice(_ODD_TEXTS)
    if code == "31":
        return f"DE{chance.randrange(10**20):020}"
    if code == "30":
        return chance.choice(("HANSDEHH", "HANSDEHHXXX", "10020030", "hansdehh", "HANSDE1"))
    text = chance.choice(_TEXTS)
    return text + chance.choice(_TEXTS) if chance.random() < 0.1 else text


def wild_bai(chance: random.Random, entries: int, *, odd: float) -> bytes:
    """A BAI2 file; `odd` is the share of what the usual form does not have."""
    end = chance.choice(("\n", "\r\n", "/\n"))
    physical = chance.choice(("", "80", "40"))
    lines = [f"01,HARBOR,NORD,261121,0600,1,{physical},,2/", "02,NORD,HARBOR,1,261120,2400,USD,2/"]
    left = entries
    while left > 0:
        count = chance.randrange(1, left + 1)
        left -= count
        account = chance.choice(("445566", "7"))
        start, total = len(lines), 1750
        lines.append(f"03,{account},{chance.choice(('', 'JPY', 'EUR'))},010,1000,,,015,750,,/")
        for _ in range(count):
            amount = chance.randrange(1000)
            total += amount
            lines += _records(chance, amount, odd)
        if chance.random() < 0.3:  # the same again: a copy, or another page
            lines += [f"49,{total},{len(lines) - start + 1}/", *lines[start:]]
        lines.append(f"49,{total},{len(lines) - start + 1}/")
    lines += [f"98,1,1,{len(lines)}/", f"99,1,1,{len(lines) + 2}/"]
    return end.join([*lines, ""]).replace("//", "/").encode()


def _records(chance: random.Random, amount: int, odd: float) -> list[str]:
    def usually(usual: str, *unusual: str) -> str:
        return chance.choice(unusual) if chance.random() < odd else usual

    code = usually(chance.choice(("165", "475", "698")), "890", "100", "055", "800", "16", "999")
    money = usually(str(amount), f"-{amount}", f"+{amount}", "1.50", "", "0", "0007", "9" * 19)
    funds = usually(chance.choice("012Z"), "", "V,261120,", "S,1,2,3", "D,1,1,5", "X", "z")
    refs = usually(f"B{amount},{amount}", ",", "NONREF,nonref", " B 7 ,0", "é,€", "N/A,1/2")
    text = usually(chance.choice(("ACCOUNT FEE", "", " RENT ")), "NOTPROVIDED", "A,B", "X/Y",
                   "11/16,2026", "X/16,165,5,,,/", "ü", "TEXT/", "T" * 200, "T  ")  # fmt: skip
    lines = [f"16,{code},{money},{funds},{refs},{text}"]
    if chance.random() < odd / 3:
        lines[0] = lines[0][: chance.choice((3, 9, 14, 20))]
    for _ in range(chance.choice((0, 0, 1, 2))):
        more = usually(chance.choice(("NOVEMBER", " ORDER 7 ")), "", "/", "NOTPROVIDED", "A/88,B")
        lines.append(usually("88,", "88:", "88", "", " 88,") + more)
    if chance.random() < odd / 3:
        lines[-1] = lines[-1].ljust(chance.choice((40, 80)), chance.choice(" X"))
    return lines
