"""Journals written: a file submitted, a batch posted by its own job, a draft deleted."""

from __future__ import annotations

from typing import Any, Final

from tieout.connectors.http_wire import HttpAnswer
from tieout.connectors.oracle_fbdi import ImportFile
from tieout.connectors.oracle_jobs import OracleJobs, submitted
from tieout.connectors.oracle_journals import JOURNAL, OracleJournals, is_posted
from tieout.connectors.oracle_profile import OracleProfile
from tieout.connectors.oracle_session import OracleSession, Row
from tieout.connectors.oracle_trace import OracleTracks
from tieout.connectors.oracle_written import answered, delivery, not_sent
from tieout.connectors.ports import Delivery, Outcome
from tieout.errors import ConnectorError

__all__ = ["OraclePosting"]

#: Posting jobs for one batch, before somebody should look at the job's parameters.
_TRIES_MAX: Final = 5


class OraclePosting:
    """Writes of one ledger; a batch is named by its number alone."""

    def __init__(
        self,
        session: OracleSession,
        profile: OracleProfile,
        journals: OracleJournals,
        jobs: OracleJobs,
        tracks: OracleTracks,
        callback_url: str = "",
    ) -> None:
        self._session, self._profile, self._journals = session, profile, journals
        self._jobs, self._tracks, self._callback_url = jobs, tracks, callback_url

    def submit(self, file: ImportFile, point: str) -> Delivery:
        """Submit a file: PENDING when it was taken."""
        try:
            answer = self._jobs.submit(file.request(self._callback_url), point)
        except ConnectorError as error:
            return not_sent(error)
        taken = _submission(answer)
        if taken.outcome == "PENDING":
            self._tracks.note(file.group, submitted(answer))
        return taken

    def post(self, batch_id: str) -> Delivery:
        """Submit the posting job for exactly this batch, unless it is posted or one is at it."""
        doc_id = f"{JOURNAL}{batch_id}"
        try:
            row = self._journals.shown(batch_id)
            if row is None:
                return _simple("REJECT", "GONE", f"Oracle has no batch {batch_id}", doc_id)
            if is_posted(row):
                return _posted(row, doc_id)
            known = self._posting_state(batch_id, row)
            if known is not None:
                return known
            if not self._profile.post_job:
                return _simple("PENDING", "WAITS_FOR_AUTOPOST", "not posted yet", doc_id)
            self._jobs.note(batch_id)
            answer = self._jobs.submit(self._post_request(batch_id), "post journal")
        except ConnectorError as error:
            return not_sent(error, doc_id)
        return _submission(answer, doc_id)

    def _posting_state(self, batch_id: str, row: Row) -> Delivery | None:
        """What the posting jobs of a batch came to; None where another one is worth it."""
        doc_id, job = f"{JOURNAL}{batch_id}", self._profile.post_job
        if job and not self._jobs.may_know(batch_id):
            return None
        words = " ".join(str(row.get("ErrorMessage") or "").split())
        tried = [
            request
            for request in (self._jobs.requests() if job else ())
            if job in request.definition and batch_id in request.words
        ]
        running = [request for request in tried if not request.ended]
        if running:
            message = f"posting request {running[0].id} is {running[0].state}"
            return _simple("PENDING", "POSTING", message, doc_id)
        if tried and words:
            return _simple("REJECT", "POSTING_REFUSED", words, doc_id)
        if len(tried) >= _TRIES_MAX:
            message = f"{len(tried)} posting requests have ended without a word, and it is unposted"
            return _simple("UNKNOWN", "POSTING_WITHOUT_EFFECT", message, doc_id)
        return None

    def _post_request(self, batch_id: str) -> dict[str, Any]:
        parameters = self._profile.post_parameters.format(
            batch_id=batch_id,
            data_access_set_id=self._profile.data_access_set_id,
            ledger_id=self._profile.ledger_id,
        )
        return {
            "OperationName": "submitESSJobRequest",
            "JobPackageName": self._profile.post_package,
            "JobDefName": self._profile.post_job,
            "DocumentId": "#NULL",
            "ESSParameters": parameters,
        }

    def delete(self, batch_id: str) -> Delivery:
        """Delete an unposted batch of ours: OK when it is gone, REJECT when it is posted."""
        doc_id = f"{JOURNAL}{batch_id}"
        if not self._profile.delete_drafts:
            message = "the mapping does not let drafts be deleted"
            return _simple("REJECT", "NOT_OFFERED", message, doc_id)
        try:
            row = self._journals.row(batch_id)
            if row is None:
                return _simple("OK", "GONE", "there is no such batch", doc_id)
            if is_posted(row):
                return _simple("REJECT", "ALREADY_POSTED", f"posted as {row['BatchName']}", doc_id)
            if not self._journals.document(row).external_ref:
                return _simple("REJECT", "NOT_OURS", "the batch has no reference of ours", doc_id)
            path = f"journalBatches/{batch_id}"
            answer = self._session.write("DELETE", path, None, point="delete journal")
        except ConnectorError as error:
            return not_sent(error, doc_id)
        return self._deleted(answer, batch_id)

    def _deleted(self, answer: HttpAnswer, batch_id: str) -> Delivery:
        doc_id = f"{JOURNAL}{batch_id}"
        if answer.status in (200, 204):
            return delivery("OK", "DELETED", "", answer, doc_id)
        if answer.status == 404:
            return delivery("OK", "GONE", "there is no such batch", answer, doc_id)
        failed = answered(answer, doc_id)
        if failed is not None:
            return failed
        try:
            row = self._journals.row(batch_id)
        except ConnectorError:
            return delivery("UNKNOWN", "NOT_READ_BACK", "not read back", answer, doc_id)
        code = "ALREADY_POSTED" if row is not None and is_posted(row) else "REFUSED"
        return delivery("REJECT", code, "Oracle refuses to delete the batch", answer, doc_id)


def _submission(answer: HttpAnswer, doc_id: str | None = None) -> Delivery:
    """A submission was taken, refused, or nobody knows."""
    failed = answered(answer, doc_id)
    if failed is not None:
        return failed
    if answer.status == 400:
        message = "Oracle does not take the submission as it is"
        return delivery("REJECT", "SUBMISSION_REFUSED", message, answer, doc_id)
    number = submitted(answer)
    if number == "-1":
        message = "Oracle refused the submission (ReqstId -1): job, parameters or account"
        return delivery("REJECT", "SUBMISSION_REFUSED", message, answer, doc_id)
    if number:
        return delivery("PENDING", "ACCEPTED", f"request {number} is at it", answer, doc_id)
    return delivery("UNKNOWN", "UNPARSABLE", "the answer names no request", answer, doc_id)


def _posted(row: Row, doc_id: str) -> Delivery:
    number = str(row["BatchName"])
    return Delivery("OK", doc_id, number, "ALREADY_POSTED", f"posted as {number}", "")


def _simple(outcome: Outcome, code: str, message: str, doc_id: str | None = None) -> Delivery:
    return delivery(outcome, code, message, doc_id=doc_id)
