"""Policies: which difference may be booked, on which account, up to how much, and by whom.

A policy (`mappings/policies`) is an ordered list of small rules; the first that fits decides. A
rule never fits by accident: what it does not name is not tested, what it names must hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal

from tieout.adjustments.manual import Manual, load_manual
from tieout.errors import ProfileError
from tieout.money import parse_amount
from tieout.profiles import allow_keys, fingerprint, load, mappings_dir, require

__all__ = ["Policy", "Rule", "Subject", "load_policy"]

On = Literal["entry", "group", "residual"]

_KEYS: Final = ("exceptions", "limits", "manual", "name", "rule", "version")
_RULE_KEYS: Final = (
    "amount_max",
    "automatic",
    "counterparty",
    "direction",
    "item_kind",
    "kind",
    "name",
    "on",
    "purpose",
    "residual_class",
    "subfamilies",
    "swift_types",
    "words",
)
_EXCEPTION_KEYS: Final = ("due_days", "in_transit_days", "urgent_amount", "urgent_due_days")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a rule is asked about: an unmatched entry, a group's residual, or a whole group.

    Attributes:
        amount: the effect on the bank account, signed, in its currency.
        counterparty: whether the bank names another party.
    """

    on: On
    amount: Decimal
    narrative: str = ""
    subfamily: str = ""
    swift_type: str = ""
    counterparty: bool = False
    residual_class: str = ""
    item_kind: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; empty tuples, empty texts and None are not tested."""

    name: str
    on: On
    kind: str
    purpose: str
    direction: Literal["in", "out", "any"]
    automatic: bool
    amount_max: Decimal | None
    subfamilies: tuple[str, ...]
    swift_types: tuple[str, ...]
    words: tuple[str, ...]
    counterparty: bool | None
    residual_class: str
    item_kind: str

    def fits(self, subject: Subject) -> bool:
        """Whether everything the rule names holds for the subject."""
        if self.on != subject.on or not subject.amount:
            return False
        if self.direction != "any" and (self.direction == "in") != (subject.amount > 0):
            return False
        if self.amount_max is not None and abs(subject.amount) > self.amount_max:
            return False
        if self.counterparty is not None and self.counterparty != subject.counterparty:
            return False
        if self.residual_class and self.residual_class != subject.residual_class:
            return False
        if self.item_kind and self.item_kind != subject.item_kind:
            return False
        return self._recognised(subject)

    def _recognised(self, subject: Subject) -> bool:
        """By the bank's code, by the SWIFT type, or by a word of the narrative; any is enough."""
        if not (self.subfamilies or self.swift_types or self.words):
            return True
        text = " ".join(subject.narrative.casefold().split())
        return (
            subject.subfamily in self.subfamilies
            or any(subject.swift_type.endswith(t) for t in self.swift_types)
            or any(word in text for word in self.words)
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """A loaded policy; ``version`` names the text it was loaded from."""

    name: str
    version: str
    automatic_max: Decimal
    due_days: int
    urgent_amount: Decimal
    urgent_due_days: int
    in_transit_days: int
    rules: tuple[Rule, ...]
    manual: Manual = field(default_factory=Manual)

    def rule_for(self, subject: Subject) -> Rule | None:
        """The first rule that fits, or None: a person must decide."""
        return next((rule for rule in self.rules if rule.fits(subject)), None)


def load_policy(name: str) -> Policy:
    """Load ``mappings/policies/NAME.toml``.

    Raises:
        ProfileError: names the file, the rule and the key.
    """
    content = load(mappings_dir() / "policies" / f"{name}.toml")
    where = f"mappings/policies/{name}.toml"
    allow_keys(content, _KEYS, where)
    limits = require(content, "limits", dict, where)
    allow_keys(limits, ("automatic_max",), f"{where} [limits]")
    exceptions = require(content, "exceptions", dict, where)
    allow_keys(exceptions, _EXCEPTION_KEYS, f"{where} [exceptions]")
    rules = require(content, "rule", list, where)
    return Policy(
        name=require(content, "name", str, where),
        version=f"{require(content, 'version', int, where)}+{fingerprint(content)}",
        automatic_max=parse_amount(require(limits, "automatic_max", str, where)),
        due_days=require(exceptions, "due_days", int, where),
        urgent_amount=parse_amount(require(exceptions, "urgent_amount", str, where)),
        urgent_due_days=require(exceptions, "urgent_due_days", int, where),
        in_transit_days=require(exceptions, "in_transit_days", int, where),
        rules=tuple(_rule(r, f"{where} [[rule]] {n}") for n, r in enumerate(rules, 1)),
        manual=load_manual(content, where),
    )


def _rule(content: Mapping[str, Any], where: str) -> Rule:
    allow_keys(content, _RULE_KEYS, where)
    amount_max = content.get("amount_max")
    on = _choice(content, "on", ("entry", "group", "residual"), where)
    automatic = require(content, "automatic", bool, where)
    if automatic and amount_max is None:
        raise ProfileError(
            "PROFILE_VALUE",
            "an automatic rule needs an 'amount_max'",
            where=where,
            remedy="say up to which amount nobody has to look",
        )
    return Rule(
        name=require(content, "name", str, where),
        on=on,
        kind=require(content, "kind", str, where),
        purpose=require(content, "purpose", str, where),
        direction=_choice(content, "direction", ("in", "out", "any"), where),
        automatic=automatic,
        amount_max=None if amount_max is None else parse_amount(amount_max),
        subfamilies=tuple(content.get("subfamilies", ())),
        swift_types=tuple(content.get("swift_types", ())),
        words=tuple(w.casefold() for w in content.get("words", ())),
        counterparty=content.get("counterparty"),
        residual_class=content.get("residual_class", ""),
        item_kind=content.get("item_kind", ""),
    )


def _choice(content: Mapping[str, Any], key: str, allowed: tuple[str, ...], where: str) -> Any:
    value = require(content, key, str, where)
    if value not in allowed:
        raise ProfileError(
            "PROFILE_VALUE",
            f"{key} is {value!r}",
            where=where,
            remedy=f"one of {', '.join(allowed)}",
        )
    return value
