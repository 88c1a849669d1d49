"""Measurements: what the product costs, beside what it is compared with. Run by hand or by make."""
