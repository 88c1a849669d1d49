"""The one file of ours that Airflow's plugin loader executes (see ``.airflowignore`` beside it).

Adds to the API server: reports and Data Docs under ``/tieout``, for people who are logged in.
"""

from typing import Any

from airflow.plugins_manager import AirflowPlugin

__all__ = ["TieoutPlugin"]


class TieoutPlugin(AirflowPlugin):
    """Registers the pages with Airflow."""

    name = "tieout"
    external_views = [  # noqa: RUF012
        {
            "name": "Data quality",
            "href": "/tieout/docs/index.html",
            "destination": "nav",
            "url_route": "data-quality",
            "category": "browse",
        }
    ]

    @property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """Built when the API server asks; schedulers and tasks load this file too, for nothing."""
        from tieout_airflow.pages import URL_PREFIX, app

        return [{"app": app, "url_prefix": URL_PREFIX, "name": "tieout"}]
