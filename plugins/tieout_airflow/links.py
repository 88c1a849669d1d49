"""A task's link to the Data Docs of its own run, shown as a button in Airflow's UI.

The task says under the key ``data_docs`` which page it wrote (a path below the data folder's
``docs``); Airflow asks the link when the task ends, and keeps the address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from airflow.sdk import BaseOperatorLink, get_current_context

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

__all__ = ["DataDocsLink", "say_docs", "with_docs"]

_KEY: Final = "data_docs"


class DataDocsLink(BaseOperatorLink):
    """The button; it leads nowhere where the task had nothing to judge."""

    name = "Data Docs"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """The address of the page, below the API server's own."""
        from airflow.sdk.execution_time.xcom import XCom

        page = XCom.get_value(key=_KEY, ti_key=ti_key)
        return f"/tieout/docs/{quote(page)}" if page else ""


def with_docs(output: Any) -> Any:
    """Give the button to the task that makes this output; returns the output."""
    output.operator.operator_extra_links = (DataDocsLink(),)
    return output


def say_docs(docs: Path, home: Path) -> None:
    """Remember which page the running task wrote."""
    page = docs.relative_to(home / "docs").as_posix()
    get_current_context()["ti"].xcom_push(key=_KEY, value=page)
