"""Great Expectations, as we run it: quiet, without telemetry, quickly loaded, writing our folder.

The library costs seconds to import, so it is imported inside functions, by whoever validates.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import logging
import shutil
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final

__all__ = ["context_of", "quiet"]

#: What the library imports for expectations no suite of ours can use (distributions, and their
#: charts). Loaded when first used, they cost nothing: half of the time to start, a third of the
#: memory.
_LAZY: Final = frozenset({"altair", "scipy.special", "scipy.stats"})


class _Later(importlib.abc.MetaPathFinder):
    """Finds the modules of ``_LAZY`` and has them executed at their first use."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The module's own specification with a lazy loader; None for every other module."""
        spec = importlib.machinery.PathFinder.find_spec(name, path) if name in _LAZY else None
        if spec is not None and spec.loader is not None:
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec


def _load() -> Any:
    """The library, without what it only loads in vain."""
    _silence()
    if "great_expectations" in sys.modules:
        return sys.modules["great_expectations"]
    later = _Later()
    sys.meta_path.insert(0, later)
    try:
        import great_expectations

        return great_expectations
    finally:
        sys.meta_path.remove(later)


def context_of(docs_dir: Path) -> Any:
    """An ephemeral context that writes its Data Docs to our folder and nothing anywhere else."""
    gx = _load()
    from great_expectations.data_context.types.base import ProgressBarsConfig

    docs_dir.mkdir(parents=True, exist_ok=True)
    context: Any = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    made = context.config.data_docs_sites["local_site"]["store_backend"]["base_directory"]
    context.delete_data_docs_site("local_site")
    shutil.rmtree(made, ignore_errors=True)  # a temporary folder nobody else removes
    site: Any = {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "store_backend": {
            "class_name": "TupleFilesystemStoreBackend",
            "base_directory": str(docs_dir.absolute()),
        },
    }
    context.add_data_docs_site(site_name="docs", site_config=site)
    return context


class _ErrorsOnly(logging.Handler):
    """Passes the library's errors on to our own logger, and nothing else of what it says."""

    def emit(self, record: logging.LogRecord) -> None:
        """Called by `logging` for each record of level ERROR and above."""
        logging.getLogger("tieout.quality").handle(record)


def _silence() -> None:
    """The library logs hundreds of lines while it registers itself, on loggers of many levels."""
    logger = logging.getLogger("great_expectations")
    logger.setLevel(logging.ERROR)
    logger.propagate = False
    logger.handlers = [_ErrorsOnly(logging.ERROR)]


@contextmanager
def quiet() -> Iterator[None]:
    """Hide what the library's own use of pandas and of the standard library is warned for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        yield
