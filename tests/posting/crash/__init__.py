"""Workers killed at every boundary of a delivery through a vendor's connector, then recovery."""
