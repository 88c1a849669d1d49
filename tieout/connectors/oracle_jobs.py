"""Oracle's scheduler: submissions, the states of requests, and their output.

A request is ours when one of its parameters holds our group, or the id of our batch, as a whole
word. A parent is PAUSED while its children work. A state we do not know counts as still at work.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from tieout.connectors.http_wire import HttpAnswer
from tieout.connectors.oracle_report import texts_of
from tieout.connectors.oracle_session import OracleSession, body_of, shaped
from tieout.errors import ConnectorError

__all__ = ["ENDED", "OracleJobs", "Request", "submitted"]

_REQUESTS: Final = "/ess/rest/scheduler/v1/requests"
_FIELDS: Final = "requestId,parentRequestId,jobDefinitionId,requestParameters,state,submissionTime"
#: After these nothing more comes of a request. ``ERROR MANUAL RECOVERY`` is not one of them.
ENDED: Final = frozenset(
    {"SUCCEEDED", "WARNING", "ERROR", "CANCELLED", "CANCELED", "EXPIRED", "FINISHED"}
    | {"VALIDATION FAILED", "VALIDATION_FAILED"}
)
_WELL: Final = frozenset({"SUCCEEDED", "WARNING", "FINISHED"})
_PAGES_MAX: Final = 200
_NOTED_MAX: Final = 10_000
_JUST: Final = 1.0  # seconds; at most half of the protocol's first wait


@dataclass(frozen=True, slots=True)
class Request:
    """One request of the scheduler; ``words`` are its parameters, cut at commas."""

    id: str
    definition: str
    state: str
    words: frozenset[str]

    @property
    def ended(self) -> bool:
        """Whether nothing more comes of it."""
        return self.state in ENDED

    @property
    def well(self) -> bool:
        """Whether it ended well; that says nothing of its rows."""
        return self.state in _WELL


class OracleJobs:
    """The scheduler as one user sees it.

    Args:
        submitter: whose requests to list; empty lists everybody's.
        look_back: how far before the newest request the list is read.
    """

    def __init__(self, session: OracleSession, submitter: str, look_back: timedelta) -> None:
        self._session, self._submitter, self._look_back = session, submitter, look_back
        self._outputs: dict[str, tuple[str, ...]] = {}
        self._seen: dict[int, tuple[Request, datetime]] = {}
        self._listed_at = -_JUST
        self._noted: dict[str, None] = {}
        self._words: frozenset[str] = frozenset()
        self._lock = threading.Lock()

    def note(self, word: str) -> None:
        """A request with this word is about to be submitted: no list read before knows it."""
        with self._lock:
            while len(self._noted) >= _NOTED_MAX:
                self._noted.pop(next(iter(self._noted)))
            self._noted[word] = None

    def may_know(self, word: str) -> bool:
        """Whether there may be requests with a word; False by a list a second old at most.

        A row another worker has let go rests for a second before it is taken again, so that such
        a list has what that worker submitted; what this process did is noted.

        Raises:
            ConnectorError: the scheduler cannot be asked.
        """
        with self._lock:
            if word in self._noted:
                return True
            recent = time.monotonic() - self._listed_at < _JUST
        if not recent:
            self.requests(states=False)
        return word in self._words

    def submit(self, body: Mapping[str, Any], point: str) -> HttpAnswer:
        """One operation of ``erpintegrations``; what came of it says `submitted`."""
        return self._session.write("POST", "erpintegrations", body, point=point)

    def requests(self, *, states: bool = True) -> list[Request]:
        """The submitter's requests, newest first, as far back as we look.

        What has ended does not change: a second list is read only down to where all is known.

        Args:
            states: whether states matter; else those of requests known before may be old.

        Raises:
            ConnectorError: the scheduler cannot be asked.
        """
        parameters = [("orderBy", "requestId:desc"), ("fields", _FIELDS)]
        if self._submitter:
            parameters.append(("q", f'submitter eq "{self._submitter}"'))
        with self._lock:
            began = time.monotonic()
            running = (n for n, (r, _) in self._seen.items() if states and not r.ended)
            oldest_running = min(running, default=0)
            for _ in range(_PAGES_MAX):
                page = self._session.ask(_REQUESTS, parameters, point="list jobs")
                with shaped("list of requests"):
                    known = self._take(page["items"], oldest_running, states)
                    links = page.get("links") or ()
                    following = [str(link["href"]) for link in links if link["rel"] == "next"]
                if known or not following:
                    self._listed_at = began
                    self._words = frozenset().union(*(r.words for r, _ in self._seen.values()))
                    return [self._seen[number][0] for number in sorted(self._seen, reverse=True)]
                parameters = parse_qsl(urlsplit(following[0]).query)
        raise ConnectorError("ANSWER_UNEXPECTED", "the list of requests has no end")

    def _take(self, items: list[Mapping[str, Any]], oldest_running: int, states: bool) -> bool:
        """Keep a page, newest first; whether nothing of interest can come after it."""
        last_unknown = 0
        page: dict[int, datetime] = {}
        for place, item in enumerate(items, 1):
            number, at = int(item["requestId"]), datetime.fromisoformat(item["submissionTime"])
            before = self._seen.get(number)
            if before is None or (states and not before[0].ended):
                last_unknown = place
            self._seen[number], page[number] = (_request(item), at), at
        if not page:
            return True
        edge = max(at for _, at in self._seen.values()) - self._look_back
        for number in [number for number, (_, at) in self._seen.items() if at < edge]:
            del self._seen[number]
        # Requests may show a little out of order: half of a page must have been known before.
        known = last_unknown <= len(items) // 2 and min(page) <= (oldest_running or min(page))
        return known or min(page.values()) < edge

    def state(self, request_id: str) -> str:
        """The state of a request of ours; asks the scheduler where the short way is blank."""
        finder = f"ESSJobStatusRF;requestId={request_id}"
        found = self._session.ask("erpintegrations", [("finder", finder)], point="job status")
        with shaped("job status"):
            status = str(found["items"][0].get("RequestStatus") or "")
        if status:
            return status
        found = self._session.ask(f"{_REQUESTS}/{int(request_id)}", point="job status")
        with shaped("job status"):
            return str(found["state"])

    def output(self, request: Request) -> tuple[str, ...]:
        """Log and output of a request; what has ended does not change and is asked for once."""
        with self._lock:
            known = self._outputs.get(request.id)
        if known is not None:
            return known
        finder = f"ESSJobExecutionDetailsRF;requestId={request.id},fileType=ALL"
        found = self._session.ask("erpintegrations", [("finder", finder)], point="job output")
        with shaped("job output"):
            items = found["items"]
            texts = texts_of(items[0].get("DocumentContent")) if items else ()
        if request.ended:
            with self._lock:
                self._outputs[request.id] = texts
        return texts


def submitted(answer: HttpAnswer) -> str:
    """The id of the request a submission made, ``-1`` where it was refused, empty where unclear."""
    found = body_of(answer) if answer.status in (200, 201) else None
    if not isinstance(found, dict):
        return ""
    number = str(found.get("ReqstId") or found.get("RqstId") or "")
    return number if re.fullmatch(r"-1|[1-9]\d{0,17}", number, re.ASCII) else ""


def _request(item: Mapping[str, Any]) -> Request:
    values = [str(part.get("value") or "") for part in item.get("requestParameters") or ()]
    words = frozenset(word.strip() for value in values for word in value.split(","))
    return Request(
        str(int(item["requestId"])),
        str(item.get("jobDefinitionId") or ""),
        str(item["state"]),
        words,
    )
