"""Adjustments: policies turn residuals and unmatched entries into balanced journal proposals."""
