"""What a delimited file seems to say, and the draft profile that says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tieout.onboarding.columns import Column
from tieout.onboarding.mask import masked
from tieout.onboarding.rows import Feature

__all__ = ["Guess"]


@dataclass
class Guess:
    """What was found in a delimited file."""

    encoding: str
    delimiter: str
    header: list[str]
    header_line: int
    rows: list[tuple[int, list[str]]]
    before: list[str]
    columns: dict[str, list[str]] = field(default_factory=dict)
    kinds: list[Column] = field(default_factory=list)
    dates: str = ""
    decimal: str = "."
    thousands: str = ""
    order: str = ""
    marks: dict[str, list[str]] = field(default_factory=dict)
    account: tuple[str, str] | None = None  # an expression for the preamble, or a column
    currency: str = ""
    doubts: tuple[str, ...] = ()

    def features(self) -> tuple[Feature, ...]:
        """What was seen, as features."""
        names = {";": "semicolon", ",": "comma", "\t": "tab", "|": "bar"}
        said = [
            (f"delimited by {names[self.delimiter]}, {len(self.header)} columns", self.header_line),
            (f"encoding {self.encoding}", 1),
            (f"dates {self.dates}", self.rows[0][0]),
            (f"decimal mark {self.decimal!r}, thousands {self.thousands!r}", self.rows[0][0]),
        ]
        said += [
            (f"{column} in {' + '.join(h)!r}", self.header_line)
            for column, h in self.columns.items()
        ]
        if self.order:
            said.append((f"running balance, {self.order} first", self.rows[0][0]))
        return tuple(Feature(what, len(self.rows), (line,)) for what, line in said)

    def toml(self, name: str) -> str:
        """The profile."""
        sample = self.delimiter.join(self.rows[0][1])
        day = r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}"
        marks = ", ".join(f"{k} = {v!r}" for k, v in self.marks.items())
        out = [
            f"#> {self.delimiter.join(self.header)}",
            f"#> {masked(sample, (day,))}",
            "#",
            "# Drafted by `tieout onboard`: settle what is in doubt, then say the reasons.",
            *(f"# doubt: {doubt}" for doubt in self.doubts),
            f'title = "{name}"',
            "",
            "[delimited]",
            f"delimiter = {_quoted(self.delimiter)}",
            *([f'encoding = "{self.encoding}"'] if not self.encoding.startswith("utf") else []),
            f'dates = "{self.dates}"',
            f'decimal = "{self.decimal}"',
            *([f'thousands = "{self.thousands}"'] if self.thousands else []),
            *([f'order = "{self.order}"'] if self.order else []),
            'ends = "open"',
            *([f'currency = "{self.currency}"'] if self.currency else []),
            *([f"preamble = ['{self.account[1]}']"] if self.account and self.account[0] else []),
            *([f"marks = {{ {marks} }}"] if marks else []),
            "",
            "[delimited.columns]",
            *(f"{column} = {_listed(heads)}" for column, heads in self.columns.items()),
        ]
        return "\n".join(out) + "\n"


def _quoted(text: str) -> str:
    return '"\\t"' if text == "\t" else f'"{text}"'


def _listed(heads: Sequence[str]) -> str:
    texts = ['"' + head.replace("\\", "\\\\").replace('"', '\\"') + '"' for head in heads]
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
