"""What a person may match by hand alone, and what takes a second person (policy ``[manual]``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal, cast

from tieout.errors import ProfileError
from tieout.money import floor_minor, parse_amount
from tieout.profiles import allow_keys, require

__all__ = ["RESIDUAL_CLASSES", "Manual", "load_manual"]

#: What a person may call that which a match leaves over; policy rules book it by this name.
RESIDUAL_CLASSES: Final = (
    "charge",
    "discount",
    "fx_difference",
    "over_payment",
    "rounding",
    "short_payment",
)

Force = Literal["alone", "four_eyes", "never"]
_FORCES: Final = ("alone", "four_eyes", "never")
_KEYS: Final = ("force", "four_eyes_above", "residual_max")


@dataclass(frozen=True, slots=True)
class Manual:
    """Limits of matches by hand; amounts in whole units of the account's currency.

    Attributes:
        residual_max: how much the matches of an item may leave over, all of them together.
        four_eyes_above: matches that move more wait for a second person.
        force: what becomes of a match beyond ``residual_max``, or without a class for what it
            leaves over, where somebody insists.
    """

    residual_max: Decimal = Decimal(0)
    four_eyes_above: Decimal = Decimal(0)
    force: Force = "four_eyes"

    def allows(self, residual_minor: int, earlier_minor: int, currency: str) -> bool:
        """Whether a match may leave so much over, after what earlier parts left over.

        Args:
            earlier_minor: absolute, of the other matches of the same members.
        """
        left = abs(residual_minor) + earlier_minor
        return not residual_minor or left <= floor_minor(self.residual_max, currency)

    def needs_second(self, moved_minor: int, currency: str) -> bool:
        """Whether a match that moves so much waits for a second person."""
        return moved_minor > floor_minor(self.four_eyes_above, currency)


def load_manual(content: Mapping[str, Any], where: str) -> Manual:
    """The section of a policy; without one, a match by hand leaves nothing over and takes two.

    Raises:
        ProfileError: names the key.
    """
    section = content.get("manual")
    if section is None:
        return Manual()
    section = require(content, "manual", dict, where)
    place = f"{where} [manual]"
    allow_keys(section, _KEYS, place)
    force = require(section, "force", str, place)
    if force not in _FORCES:
        raise ProfileError(
            "PROFILE_VALUE",
            f"force is {force!r}",
            where=place,
            remedy=f"one of {', '.join(_FORCES)}",
        )
    limits = {
        name: parse_amount(require(section, name, str, place))
        for name in ("residual_max", "four_eyes_above")
    }
    for name, limit in limits.items():
        if limit < 0:
            raise ProfileError(
                "PROFILE_VALUE", f"{name} is {limit}", where=place, remedy="give 0 or more"
            )
    return Manual(limits["residual_max"], limits["four_eyes_above"], cast(Force, force))
