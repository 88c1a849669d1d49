"""The open matching benchmark: seeded companies with ground truth, scoring, measurement."""
