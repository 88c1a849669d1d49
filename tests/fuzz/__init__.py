"""Fuzzing of every reader: ``make fuzz FORMAT=mt940 TIME=1200``."""
