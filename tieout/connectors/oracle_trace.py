"""What the scheduler knows of a document that no read shows yet: under way, or refused.

Looked at only after no document was found. Anything of ours that has not ended is pending; of what
has ended the output decides.
"""

from __future__ import annotations

import re
import threading
from typing import Final

from tieout.connectors.oracle_fbdi import BATCH_GROUP, group_of
from tieout.connectors.oracle_jobs import ENDED, OracleJobs, Request
from tieout.connectors.oracle_report import verdict
from tieout.connectors.ports import Trace

__all__ = ["OracleTracks"]

_IMPORT: Final = "JournalImport"
_KEPT_MAX: Final = 10_000
_ENDED_BADLY: Final = re.compile(r"Rejected - Error[^\n]*|ORA-\d+[^\n]*")


class OracleTracks:
    """Requests by what they carry; remembers those this process made itself."""

    def __init__(self, jobs: OracleJobs, source: str) -> None:
        self._jobs, self._source = jobs, source
        self._made: dict[str, str] = {}
        self._lock = threading.Lock()

    def note(self, group: str, request_id: str) -> None:
        """A submission of ours was taken."""
        with self._lock:
            if len(self._made) >= _KEPT_MAX:
                self._made.pop(next(iter(self._made)))
            self._made[group] = request_id

    def trace(self, reference: str, word: str) -> Trace:
        """Pending or refused, or nothing known.

        Args:
            reference: the document's, of which its own group is made.
            word: what stands in the output's lines of the document.

        Raises:
            ConnectorError: the scheduler cannot be asked.
        """
        group = group_of((reference,))
        requests = sorted(self._jobs.requests(), key=lambda request: int(request.id))
        alone = [request for request in requests if group in request.words]
        known = self._made.get(group)
        if known is not None and all(request.id != known for request in alone):
            state = self._jobs.state(known)
            if state not in ENDED:
                return Trace(pending=f"request {known} is {state or 'not listed yet'}")
        batches = [request for request in requests if self._is_batch(request)]
        for request in (*alone, *batches):
            if not request.ended:
                return Trace(pending=f"request {request.id} is {request.state}")
        found = self._judged(alone, word, alone=True)
        if found != Trace():
            return found
        # Of a batch only the import itself tells of single rows: one output a batch is fetched.
        imports = [request for request in batches if _IMPORT in request.definition]
        return self._judged(imports or batches, word, alone=False)

    def _is_batch(self, request: Request) -> bool:
        ours = self._source in request.words
        return ours and any(BATCH_GROUP.fullmatch(word) for word in request.words)

    def _judged(self, requests: list[Request], word: str, *, alone: bool) -> Trace:
        """What the outputs of ended requests say: imported outweighs refused."""
        refused = ""
        for request in requests:
            texts = self._jobs.output(request)
            said = verdict(texts, word, alone=alone)
            if said.imported:
                return Trace(pending=f"request {request.id} has imported it: not yet to be seen")
            refused = refused or said.refused
        if not refused and alone:
            refused = next((self._failure(r) for r in requests if not r.well), "")
        return Trace(refused=refused)

    def _failure(self, request: Request) -> str:
        """Why a request that ended badly did."""
        lines = "\n".join(self._jobs.output(request))
        found = _ENDED_BADLY.search(lines)
        words = f": {' '.join(found[0].split())[:200]}" if found else ""
        return f"JOB_FAILED: request {request.id} ended as {request.state}{words}"
