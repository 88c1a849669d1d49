"""The delivery, whole and unchanged, on a seeded clock, network, store and scheduler.

`world` runs several workers' `drain` as greenlets and switches between them at every boundary of
`tieout.boundary` and while they wait for an answer; it stalls and kills them, closes periods, holds
rows and fails over. `store` keeps the outbox in memory, `erp` is a system of any capability class,
`check` is the judge: it reads the ERP's ledger and the ends of the outbox, and nothing else.
``python -m tests.posting.sim`` runs many seeds; the same seed has the same trace.
"""
