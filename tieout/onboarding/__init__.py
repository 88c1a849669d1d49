"""Onboarding: what is particular in a bank's sample, what has no place, and a draft profile.

Nothing here decides how a file is read: the readers and profiles do. It looks at a sample the way
a person would who has to write the profile, and says what it saw, with counts and lines.
"""

from __future__ import annotations

from tieout.onboarding.report import Code, Feature, Report, Tie, Unplaced, onboard

__all__ = ["Code", "Feature", "Report", "Tie", "Unplaced", "onboard"]
