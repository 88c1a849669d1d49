"""An explicit-state model of the posting protocol around the production functions.

`erp` is an ERP of each capability class as pure functions; `world` is everything that may happen
next, with `decide`, `step` and `claim_event` of production inside; `search` visits every order of
it within the bounds of a `Design`; `suite` names the models and the wrong designs; ``python -m
tests.posting.model_check`` runs all of them and writes docs/reliability/model.md.

What the model takes from production: the tables (OUTBOX, STEPS), what is asked next, what an
observation means, what is counted. What it says itself, in one place each: what the ledger keeps
(`world.kept`), when a claim may know that a row is settled or its key alive (`claims.knowing`),
what a new epoch does (`claims.fail_over`). Not in it: approvals (I4), references and payloads (I8),
audit (I11) and ingest (I14), which the database's constraints, `tieout.posting.invariants` and other
tests hold.
"""
