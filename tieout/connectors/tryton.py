"""Tryton 8.2: its cash book and open items read, journals posted in class C.

A posting is a draft ``account.move`` whose description opens with our reference in brackets,
``[ABCDEFGHIJKLMNOP] Bank charges``, then posted by its id; Tryton itself refuses to post or delete
a posted move. Outcomes are told as `tieout.connectors.ports` names them: an error of Tryton's own
kind rolled its transaction back (REJECT, after reading back what is there), a login that failed
sent nothing (NOT_SENT), and HTTP 503, a broken connection, silence or an answer that cannot be
read are UNKNOWN.

    >>> books = TrytonConnector("http://127.0.0.1:8000", "erp", "tieout", "secret",
    ...                         company="NORD", mapping={})
    >>> fee = ports.Journal("AAAAAAAAAAAAAAAA", "NORD", "bank", date(2026, 11, 20), "", "EUR", ())
    >>> books.capability(fee).kind
    'C'
    >>> books.close()
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from tieout.connectors import ports
from tieout.connectors.tryton_catalog import TrytonCatalog
from tieout.connectors.tryton_clearing import CAPABILITY, Clearing, is_clearing
from tieout.connectors.tryton_documents import documents
from tieout.connectors.tryton_masters import RefusedError, stamp
from tieout.connectors.tryton_records import shaped
from tieout.connectors.tryton_wire import Answer
from tieout.errors import ConnectorError

__all__ = ["TrytonConnector"]

_BATCH_MAX: Final = 20
_CREATE: Final = "model.account.move.create"


class TrytonConnector(TrytonCatalog):
    """The books of one company in one Tryton database; a `Connector`.

    Made as `TrytonBooks` is; every call passes through ``wire.exchange``.
    """

    def capability(self, journal: ports.Journal) -> ports.Capability:
        """A draft, posted by its id; lines are cleared at once, and once."""
        return CAPABILITY if journal.clears else ports.Capability("C", batch_max=_BATCH_MAX)

    def create(self, journal: ports.Journal) -> ports.Delivery:
        """Create the draft; what the ERP's masters rule out is refused before anything is sent."""
        if journal.clears:
            return self._clear(journal)
        values = self._values(journal)
        if isinstance(values, ports.Delivery):
            return values
        answer = self._session.write(_CREATE, [values])
        match answer:
            case Answer(kind="result", value=[int(move)]):
                return _delivery("OK", answer, "DRAFTED", str(move))
            case Answer(kind="result"):
                return _delivery("UNKNOWN", answer, "UNPARSABLE")
            case Answer(kind="error"):
                return _delivery("REJECT", answer, self._why_refused(journal))
        return _delivery(_outcome(answer), answer)

    def create_batch(self, journals: tuple[ports.Journal, ...]) -> tuple[ports.Delivery, ...]:
        """Create the drafts with one call, which Tryton does whole or not at all.

        What it refuses whole is created one by one: each is refused, or not, for itself.
        """
        planned = [self._values(journal) for journal in journals]
        ready = [values for values in planned if not isinstance(values, ports.Delivery)]
        if not ready:
            return tuple(told for told in planned if isinstance(told, ports.Delivery))
        answer = self._session.write(_CREATE, ready)
        if answer.kind == "error":
            return self._one_by_one(journals)
        made = iter(_drafted(answer, len(ready)))
        return tuple(told if isinstance(told, ports.Delivery) else next(made) for told in planned)

    def _one_by_one(self, journals: tuple[ports.Journal, ...]) -> tuple[ports.Delivery, ...]:
        """Each with a call of its own, until one is not answered."""
        told: list[ports.Delivery] = []
        for journal in journals:
            if told and told[-1].outcome == "UNKNOWN":
                message = "kept back: the one before was not answered"
                told.append(ports.Delivery("NOT_SENT", None, None, "KEPT_BACK", message, ""))
            else:
                told.append(self.create(journal))
        return tuple(told)

    def _values(self, journal: ports.Journal) -> dict[str, Any] | ports.Delivery:
        """The values of the move, or why it is not sent."""
        try:
            with shaped("master data"):
                return self._masters.move_values(journal)
        except RefusedError as error:
            return ports.Delivery("REJECT", None, None, error.code, error.message, "")
        except ConnectorError as error:
            return _unsent(error)

    def _why_refused(self, journal: ports.Journal) -> str:
        """What the masters rule out by now, though they did not when they were last asked."""
        self._masters.forget()
        try:
            with shaped("master data"):
                self._masters.move_values(journal)
        except (RefusedError, ConnectorError) as error:
            return error.code if isinstance(error, RefusedError) else "REFUSED"
        return "REFUSED"

    def preview(self, journal: ports.Journal) -> str:
        """The call that `create` would make; the same checks refuse it."""
        try:
            with shaped("master data"):
                values = self._masters.move_values(journal)
        except RefusedError as error:
            raise ConnectorError(error.code, error.message, where="Tryton") from error
        return self.wire.rendered(_CREATE, [[values], self._session.context])

    def _clear(self, journal: ports.Journal) -> ports.Delivery:
        """Reconcile move lines; what is cleared under our reference already answers EXISTS."""
        clearing = self._clearing()
        try:
            with shaped("lines"):
                if clearing.find(journal):
                    message = "exactly these lines are cleared against one another"
                    return ports.Delivery("EXISTS", None, None, "CLEARED", message, "")
                lines = clearing.check(journal)
                session = clearing.open()
        except RefusedError as error:
            return ports.Delivery("REJECT", None, None, error.code, error.message, "")
        except ConnectorError as error:
            return _unsent(error)
        answer = clearing.create(session, lines)
        if answer.kind != "result":
            return _delivery(_outcome(answer), answer)
        try:
            made = clearing.find(journal)
        except ConnectorError as error:
            return ports.Delivery("UNKNOWN", None, None, "NOT_READ_BACK", str(error), "")
        if len(made) != 1:
            return _delivery("UNKNOWN", answer, "NOT_READ_BACK")
        return _delivery("OK", answer, "CLEARED", made[0].doc_id)

    def _clearing(self) -> Clearing:
        return Clearing(self._session, self._masters)

    def post(self, doc_id: str) -> ports.Delivery:
        """Post by id: what Tryton does in one transaction, or refuses; who posted is read back."""
        answer = self._session.write("model.account.move.post", [int(doc_id)])
        if answer.kind == "result":
            return _delivery("OK", answer, "POSTED", doc_id)
        if answer.kind != "error":
            return _delivery(_outcome(answer), answer, doc_id=doc_id)
        try:
            document = self.read(doc_id)
        except ConnectorError as error:
            return ports.Delivery(
                "UNKNOWN", doc_id, None, "NOT_READ_BACK", str(error), answer.sha256
            )
        if document is not None and document.state == "posted":
            return _delivery("OK", answer, "ALREADY_POSTED", doc_id, document.number)
        return _delivery("REJECT", answer, "REFUSED" if document else "GONE", doc_id)

    def delete_draft(self, doc_id: str) -> ports.Delivery:
        """Delete a draft of ours: OK when it is gone, REJECT ``ALREADY_POSTED`` when posted."""
        if is_clearing(doc_id):
            message = "a reconciliation has no draft"
            return ports.Delivery("REJECT", doc_id, None, "ALREADY_POSTED", message, "")
        try:
            before = self.read(doc_id)
        except ConnectorError as error:
            return _unsent(error, doc_id)
        if before is None or before.state == "posted" or not before.external_ref:
            return _left(before, doc_id)
        answer = self._session.write("model.account.move.delete", [int(doc_id)])
        if answer.kind == "result":
            return _delivery("OK", answer, "DELETED", doc_id)
        if answer.kind != "error":
            return _delivery(_outcome(answer), answer, doc_id=doc_id)
        try:
            after = self.read(doc_id)
        except ConnectorError:
            return _delivery("UNKNOWN", answer, "NOT_READ_BACK", doc_id)
        if after is not None and after.state == "draft":
            return _delivery("REJECT", answer, "REFUSED", doc_id)
        return _left(after, doc_id)

    def find(self, journal: ports.Journal) -> ports.Trace:
        """All documents with our reference, drafts and posted ones, by id."""
        if journal.clears:
            with shaped("reconciliations"):
                return ports.Trace(tuple(self._clearing().find(journal)))
        with shaped("documents"):
            own = self._masters.company_row()["id"]
            pattern = stamp(journal.external_ref).replace("_", r"\_").replace("%", r"\%")
            domain = [["company", "=", own], ["description", "like", f"{pattern}%"]]
            found = self._documents(domain)
        ours = (document for document in found if document.external_ref == journal.external_ref)
        return ports.Trace(tuple(ours))

    def read(self, doc_id: str) -> ports.ErpDocument | None:
        """One document with its lines, None when Tryton has it not."""
        if is_clearing(doc_id):
            with shaped("reconciliation"):
                return self._clearing().read(doc_id)
        with shaped("document"):
            own = self._masters.company_row()["id"]
            found = self._documents([["company", "=", own], ["id", "=", int(doc_id)]])
        return found[0] if found else None

    def posted_since(self, company: str, since: date) -> list[ports.ErpDocument]:
        """Posted moves on or after ``since`` whose description opens with a reference like ours."""
        with shaped("documents"):
            own = self._own(company)
            domain = [
                ["company", "=", own],
                ["state", "=", "posted"],
                ["date", ">=", since],
                ["description", "like", "[%"],
            ]
            found = self._documents(domain)
        ours = (document for document in found if ports.is_reference(document.external_ref))
        return sorted(ours, key=lambda document: (document.booked_on, int(document.doc_id)))

    def _documents(self, domain: list[Any]) -> list[ports.ErpDocument]:
        return documents(self._session, self._masters, domain)


def _drafted(answer: Answer, count: int) -> list[ports.Delivery]:
    """The outcomes of a call that made several drafts, or nobody knows."""
    ids = answer.value if answer.kind == "result" else []
    sound = isinstance(ids, list) and all(isinstance(number, int) for number in ids)
    if answer.kind == "result" and sound and len(set(ids)) == len(ids) == count:
        return [_delivery("OK", answer, "DRAFTED", str(number)) for number in ids]
    if answer.kind == "result":
        return [_delivery("UNKNOWN", answer, "UNPARSABLE")] * count
    return [_delivery(_outcome(answer), answer)] * count


def _outcome(answer: Answer) -> ports.Outcome:
    """The outcome of a write that did not simply succeed; the order is the precedence."""
    if answer.kind == "unsent":
        return "THROTTLED" if answer.code == "LOGIN_THROTTLED" else "NOT_SENT"
    return "REJECT" if answer.kind == "error" else "UNKNOWN"


def _delivery(
    outcome: ports.Outcome,
    answer: Answer,
    code: str = "",
    doc_id: str | None = None,
    number: str | None = None,
) -> ports.Delivery:
    reason = code or ("REFUSED" if answer.kind == "error" else answer.code)
    return ports.Delivery(outcome, doc_id, number, reason, answer.message, answer.sha256)


def _unsent(error: ConnectorError, doc_id: str | None = None) -> ports.Delivery:
    """The lookup before a write failed, so the write itself never left."""
    outcome: ports.Outcome = "THROTTLED" if error.code == "LOGIN_THROTTLED" else "NOT_SENT"
    return ports.Delivery(outcome, doc_id, None, error.code, error.message, "")


def _left(document: ports.ErpDocument | None, doc_id: str) -> ports.Delivery:
    """Why a draft was not deleted: it is gone, posted, or not one of ours."""
    if document is None:
        return ports.Delivery("OK", doc_id, None, "GONE", "there is no such document", "")
    if document.state == "posted":
        message = f"the document is posted as {document.number}"
        return ports.Delivery("REJECT", doc_id, document.number, "ALREADY_POSTED", message, "")
    message = "the draft carries no reference of ours"
    return ports.Delivery("REJECT", doc_id, None, "NOT_OURS", message, "")
