"""Quality: what must hold of canonical tables before they become facts of the ledger.

`tieout.quality.controls` proves each statement by arithmetic; `tieout.quality.suites` runs the
Great Expectations suites of ``mappings/suites`` over whole batches and writes their Data Docs.
"""
