"""OData as Dynamics 365 speaks it: keys, filters, literals, JSON, and errors with an infolog."""

from __future__ import annotations

import datetime as dt
import json
import operator
import re
from collections.abc import Callable
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

from sandbox.simulators.dynamics365_world import Row

__all__ = ["ODataError", "condition", "fault_body", "infolog", "key_of", "loads", "render"]

ENUMS = "Microsoft.Dynamics.DataEntities."
WRITE = "Microsoft.Dynamics.Platform.Integration.Services.OData.ODataWriteException"
_TOKEN = re.compile(
    r"\s*(?:(?P<enum>[\w.]+'[^']*')|(?P<text>'(?:[^']|'')*')"
    r"|(?P<time>\d{4}-\d\d-\d\dT[\d:.]+Z)|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Za-z_]\w*)|(?P<sign>[()]))"
)
_KEY = re.compile(r"(\w+)=(?:'((?:[^']|'')*)'|(\d+(?:\.\d+)?))")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
Test = Callable[[Row], bool]


class ODataError(Exception):
    """A refusal in the system's own form.

    Args:
        kind: the class the server names, of which clients only see the end.
    """

    def __init__(self, status: int, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.status, self.message, self.kind = status, message, kind


def infolog(entity: str, text: str, *, status: int = 400) -> ODataError:
    """A write that business logic refused."""
    message = f"Write failed for table row of type '{entity}'. Infolog: Error: {text}"
    return ODataError(status, message, WRITE)


def fault_body(fault: ODataError) -> bytes:
    """The body of an answer that refuses."""
    inner = {"message": fault.message, "type": fault.kind, "stacktrace": "   at Sim.Write()"}
    error = {"code": "", "message": "An error has occurred.", "innererror": inner}
    return json.dumps({"error": error}).encode()


def loads(body: bytes) -> Row:
    """A JSON object; amounts stay exact."""
    try:
        value = json.loads(body, parse_float=Decimal)
    except ValueError as error:
        raise ODataError(400, f"The body is not JSON: {error}", "ODataException") from error
    if not isinstance(value, dict):
        raise ODataError(400, "An object was expected.", "ODataException")
    return value


def render(value: Any) -> str:
    """JSON text; decimals as numbers in full, days at noon."""
    match value:
        case dict():
            inner = ",".join(f"{json.dumps(key)}:{render(item)}" for key, item in value.items())
            return f"{{{inner}}}"
        case list() | tuple():
            return f"[{','.join(render(item) for item in value)}]"
        case Decimal():
            return format(value, "f")
        case dt.date():
            return f'"{value.isoformat()}T12:00:00Z"'
    return json.dumps(value)


def key_of(path: str) -> tuple[str, Row | None]:
    """``Set(a='x',b=1)`` in its parts; no key gives None."""
    name, opened, rest = path.partition("(")
    if not opened:
        return name, None
    found = {k: t.replace("''", "'") if not n else Decimal(n) for k, t, n in _KEY.findall(rest)}
    if not rest.endswith(")") or not found:
        raise ODataError(400, f"The key '{rest}' cannot be read.", "ODataException")
    return name, found


def condition(text: str, columns: Row) -> Test:
    """A ``$filter``; a property that the entity has not is refused, as the system does.

    Only comparisons, ``and``, ``or`` and brackets: no functions, no ``in``, ``has`` or ``any``.
    ``eq`` with asterisks compares by pattern.
    """
    tokens: list[tuple[str, str]] = []
    place = 0
    while text[place:].strip():
        found = _TOKEN.match(text, place)
        if found is None or found.lastgroup is None:
            raise ODataError(
                400, f"Syntax error at position {place} in '{text}'.", "ODataException"
            )
        tokens.append((found.lastgroup, found[found.lastgroup]))
        place = found.end()
    test, rest = _either(tokens, columns)
    if rest:
        raise ODataError(400, f"Syntax error behind '{text}'.", "ODataException")
    return test


Tokens = list[tuple[str, str]]


def _either(tokens: Tokens, columns: Row) -> tuple[Test, Tokens]:
    left, tokens = _both(tokens, columns)
    while tokens[:1] == [("word", "or")]:
        right, tokens = _both(tokens[1:], columns)
        left = _join(left, right, any)
    return left, tokens


def _both(tokens: Tokens, columns: Row) -> tuple[Test, Tokens]:
    left, tokens = _one(tokens, columns)
    while tokens[:1] == [("word", "and")]:
        right, tokens = _one(tokens[1:], columns)
        left = _join(left, right, all)
    return left, tokens


def _join(left: Test, right: Test, how: Callable[[Any], bool]) -> Test:
    return lambda row: how((left(row), right(row)))


def _one(tokens: Tokens, columns: Row) -> tuple[Test, Tokens]:
    match tokens:
        case [("sign", "("), *rest]:
            test, rest = _either(rest, columns)
            if rest[:1] != [("sign", ")")]:
                raise ODataError(400, "A bracket is not closed.", "ODataException")
            return test, rest[1:]
        case [("word", name), ("word", sign), (kind, raw), *rest] if sign in _COMPARE:
            return _comparison(name, sign, kind, raw, columns), rest
    raise ODataError(400, "The filter cannot be read.", "ODataException")


def _comparison(name: str, sign: str, kind: str, raw: str, columns: Row) -> Test:
    if name not in columns:
        message = f"Could not find a property named '{name}'."
        raise ODataError(400, message, "ODataException")
    value = _literal(kind, raw)
    if isinstance(value, str) and "*" in value and sign == "eq":
        return lambda row: fnmatchcase(str(row[name]), value.replace("[", "[[]"))
    compare = _COMPARE[sign]
    return lambda row: compare(_comparable(row[name]), value)


def _literal(kind: str, raw: str) -> Any:
    match kind:
        case "enum":
            name, _, value = raw.partition("'")
            if not name.startswith(ENUMS):
                raise ODataError(400, f"The enum '{name}' is not known.", "ODataException")
            return value.rstrip("'")
        case "text":
            return raw[1:-1].replace("''", "'")
        case "time":
            return dt.datetime.fromisoformat(raw.replace("Z", "+00:00"))
        case "number":
            return Decimal(raw)
    raise ODataError(400, f"'{raw}' is no literal.", "ODataException")


def _comparable(value: Any) -> Any:
    """Days are noon of that day."""
    if isinstance(value, dt.date):
        return dt.datetime.combine(value, dt.time(12), dt.UTC)
    return value
