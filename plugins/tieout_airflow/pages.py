"""Reports and Data Docs as pages of the API server; every route asks for a login.

Airflow authenticates nothing of a plugin's application by itself, so the application as a whole
depends on Airflow's own access check: 401 for strangers, 403 for users without the right.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_view
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import FileResponse

from tieout.home import data_home

__all__ = ["URL_PREFIX", "app", "inside"]

URL_PREFIX: Final = "/tieout"

#: No page of its own descriptions: those would be routes without a login.
app: Final = FastAPI(
    title="tieout",
    openapi_url=None,
    dependencies=[Depends(requires_access_view(AccessView.WEBSITE))],
)


@app.get("/{folder}/{path:path}")
def page(folder: Literal["docs", "reports"], path: str, user: GetUserDep) -> FileResponse:
    """One file of the Data Docs or the reports."""
    found = inside(data_home() / folder, path)
    if found is None:
        raise HTTPException(404, f"there is no {folder}/{path}: nothing has been written yet")
    return FileResponse(found)


def inside(folder: Path, path: str) -> Path | None:
    """The file if it exists and really lies below the folder (links followed)."""
    root = folder.resolve()
    found = (root / path).resolve()
    return found if found.is_file() and found.is_relative_to(root) else None
