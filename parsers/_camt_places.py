"""Where the columns of a camt entry stand: paths of local names, numbered by how they are read.

The numbers are in blocks, for whole blocks are read at once: amounts, then references, then other
text, then what only flags a row. A path that is in no table here is one the strict reader does not
look at either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from parsers._camt_shapes import SHAPES
from parsers._tags import UnsureError

__all__ = [
    "ACCOUNTS", "AMOUNTS", "MANY", "NUMBER", "ODD", "REFERENCES", "SINGLES", "TEXTS", "Place",
    "column", "place",
]  # fmt: skip

Path = tuple[str, ...]

_SIDES: Final = ("Dbtr", "Cdtr")
_REFS: Final = (
    "EndToEndId", "InstrId", "PmtInfId", "MsgId", "TxId", "AcctSvcrRef", "UETR", "MndtId", "ChqNb",
)  # fmt: skip
_RATES: Final = ("TxAmt", "CntrValAmt", "InstdAmt", "AnncdPstngAmt")
_REFERENCE: Final = ("RmtInf", "Strd", "CdtrRefInf")
_DETAIL: Final = ("NtryDtls", "TxDtls")


def _in_detail(*paths: Path) -> tuple[Path, ...]:
    return tuple((*_DETAIL, *path) for path in paths)


_AMOUNTS: Final[tuple[Path, ...]] = (
    ("Amt",),
    *_in_detail(
        ("Amt",),
        ("AmtDtls", "TxAmt", "Amt"),
        ("AmtDtls", "CntrValAmt", "Amt"),
        ("AmtDtls", "InstdAmt", "Amt"),
        ("Chrgs", "Rcrd", "Amt"),
    ),
)
_ACCOUNTS: Final[tuple[Path, ...]] = _in_detail(
    *(("RltdPties", side + "Acct", "Id", "IBAN") for side in _SIDES),
    *(("RltdPties", side + "Acct", "Id", "Othr", "Id") for side in _SIDES),
)
_REFERENCES: Final[tuple[Path, ...]] = (
    ("NtryRef",),
    ("AcctSvcrRef",),
    ("NtryDtls", "Btch", "MsgId"),
    ("NtryDtls", "Btch", "PmtInfId"),
    *_in_detail(*(("Refs", name) for name in _REFS)),
    *_in_detail((*_REFERENCE, "Ref"), (*_REFERENCE, "CdtrRef")),
)
_TEXTS: Final[tuple[Path, ...]] = (
    ("BkTxCd", "Domn", "Cd"),
    ("BkTxCd", "Domn", "Fmly", "Cd"),
    ("BkTxCd", "Domn", "Fmly", "SubFmlyCd"),
    ("BkTxCd", "Prtry", "Cd"),
    ("AddtlNtryInf",),
    *_in_detail(
        *(
            path
            for side in _SIDES
            for path in (
                ("RltdPties", side, "Pty", "Nm"),
                ("RltdPties", side, "Nm"),
                ("RltdPties", side, "Agt", "FinInstnId", "Nm"),
                ("RltdPties", "Ultmt" + side, "Pty", "Nm"),
                ("RltdPties", "Ultmt" + side, "Nm"),
                ("RltdAgts", side + "Agt", "FinInstnId", "BICFI"),
                ("RltdAgts", side + "Agt", "FinInstnId", "BIC"),
            )
        ),
        ("Purp", "Cd"),
        ("Purp", "Prtry"),
        ("RtrInf", "Rsn", "Cd"),
        ("RtrInf", "Rsn", "Prtry"),
        (*_REFERENCE, "Tp", "CdOrPrtry", "Cd"),
        (*_REFERENCE, "Tp", "CdOrPrtry", "Prtry"),
        (*_REFERENCE, "Tp", "Cd"),
        (*_REFERENCE, "Tp", "Prtry"),
        # The narrative's parts, in the order the strict reader joins them.
        ("RmtInf", "Ustrd"),
        ("RmtInf", "Strd", "RfrdDocInf", "Nb"),
        ("RmtInf", "Strd", "AddtlRmtInf"),
        ("AddtlTxInf",),
    ),
)
_MARKS: Final[tuple[Path, ...]] = (
    ("CdtDbtInd",),
    ("RvslInd",),
    ("Sts",),
    ("Sts", "Cd"),
    ("Sts", "Prtry"),
    ("BookgDt", "Dt"),
    ("BookgDt", "DtTm"),
    ("ValDt", "Dt"),
    ("ValDt", "DtTm"),
    ("NtryDtls", "Btch", "NbOfTxs"),
    *_in_detail(
        ("CdtDbtInd",),
        ("Chrgs", "Rcrd", "CdtDbtInd"),
        ("Chrgs", "TtlChrgsAndTaxAmt"),
        *(("AmtDtls", name, "CcyXchg", "XchgRate") for name in _RATES),
    ),
)
#: Read by the strict reader in ways this one does not follow: their entry is read by it.
_ODD: Final[tuple[Path, ...]] = (
    ("Chrgs",),
    ("TxDtls",),
    ("Btch",),
    *_in_detail(
        *((name,) for name in _REFS),
        ("Chrgs", "Amt"),
        ("Chrgs", "Rcrd", "TtlChrgsAndTaxAmt"),
        (*_REFERENCE, "CdtrRefTp"),
        (*_REFERENCE, "Tp", "Issr"),
    ),
)

#: Leaf columns by path; 0 is none, `ODD` hands the entry to the strict reader.
ODD: Final = 1
NUMBER: Final[dict[Path, int]] = {
    path: number
    for number, path in enumerate(
        (*_AMOUNTS, *_ACCOUNTS, *_REFERENCES, *_TEXTS, *_MARKS), start=ODD + 1
    )
}
AMOUNTS: Final = range(NUMBER[_AMOUNTS[0]], NUMBER[_ACCOUNTS[0]])
ACCOUNTS: Final = range(NUMBER[_ACCOUNTS[0]], NUMBER[_REFERENCES[0]])
#: References and accounts: what banks write instead of one counts as nothing.
REFERENCES: Final = range(NUMBER[_ACCOUNTS[0]], NUMBER[_TEXTS[0]])
TEXTS: Final = range(NUMBER[_TEXTS[0]], NUMBER[_MARKS[0]])
#: Columns that may stand in a detail several times: the parts of its narrative.
MANY: Final = range(TEXTS.stop - 4, TEXTS.stop)

_PREFIXES: Final = frozenset(path[:n] for path in NUMBER for n in range(1, len(path)))
_SEVERAL: Final = frozenset(
    {("NtryDtls",), _DETAIL, (*_DETAIL, "RmtInf"), (*_DETAIL, "RmtInf", "Strd"),
     (*_DETAIL, "RmtInf", "Strd", "RfrdDocInf")}
)  # fmt: skip
#: Elements of which the strict reader looks at the first only, numbered within a detail and
#: within an entry.
SINGLES: Final[dict[Path, int]] = {
    path: number
    for level in (True, False)
    for number, path in enumerate(
        sorted(p for p in _PREFIXES - _SEVERAL if (p[:2] == _DETAIL) is level)
    )
}
_ROOTS: Final = frozenset(shape.root for shape in SHAPES)
_STATEMENTS: Final = {shape.root: shape.element for shape in SHAPES}
_RESERVED: Final = _ROOTS | set(_STATEMENTS.values()) | {"GrpHdr", "Ntry"}


@dataclass(frozen=True, slots=True)
class Place:
    """What an open element is to the reader.

    Attributes:
        kind: ``outside``, ``message``, ``statement``, ``header``, ``entry``, ``inside`` (an entry).
        element: of a message, the local name of its statements.
        path: local names below the entry.
        odd: whether the entry must be read by the strict reader.
        in_detail: whether it is a TxDtls or stands in one.
    """

    kind: str
    path: Path = ()
    element: str = ""
    odd: bool = False
    in_detail: bool = False


def place(parent: Place, name: str) -> Place:
    """What a child of that local name is (the document itself is ``outside``).

    Raises:
        UnsureError: the strict reader gives this name here a meaning of its own.
    """
    root = name[:-3] if name[-3:-2] == "V" and name[-2:].isdigit() else name
    if parent.kind == "outside":
        if root in _ROOTS:
            return Place("message", element=_STATEMENTS[root])
        if name not in _RESERVED:
            return Place("outside")
    elif parent.kind == "message" and name == parent.element:
        return Place("statement")
    elif parent.kind == "statement" and name == "Ntry":
        return Place("entry")
    elif name not in _RESERVED and root not in _ROOTS:
        if parent.kind not in ("entry", "inside"):
            return Place("header")
        path = (*parent.path, name)
        text = path in NUMBER and path != ("Sts",)
        return Place(
            "inside",
            path,
            odd=text or path in _ODD,
            in_detail=path[:2] == _DETAIL,
        )
    raise UnsureError(f"{name} in an unusual place")


def column(parent: Place, name: str) -> int:
    """The column of a leaf of that name there; 0 where nobody reads it.

    Raises:
        UnsureError: the strict reader gives this name here a meaning of its own.
    """
    if name in _RESERVED or (parent.kind == "outside" and place(parent, name).kind == "message"):
        raise UnsureError(f"an empty {name}")
    if parent.kind not in ("entry", "inside"):
        return 0
    path = (*parent.path, name)
    if path in _ODD or (path in _PREFIXES and path != ("Sts",)):
        return ODD
    return NUMBER.get(path, 0)
