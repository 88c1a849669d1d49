"""Posting: approved adjustments become intents, and the outbox delivers each exactly once.

Exactly one effect under the assumptions of the connector's class (`tieout.posting.protocol`),
whatever is killed, lost, delayed or repeated. No state lives outside the ledger.
"""
