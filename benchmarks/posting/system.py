"""One vendor's system in a process of its own: ``python -m benchmarks.posting.system VENDOR``.

Prints how to reach it as a line of JSON, and ends when its input is closed.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module

from tests.posting.crash.vendors import order_of

__all__ = ["main"]


def main() -> None:
    """Serve until the parent lets go."""
    module = import_module(f"tests.connectors.rigs.{sys.argv[1]}")
    with module.open_rig() as rig:
        sample = rig.journal("A" * 16)
        order = order_of(rig) | {
            "company": sample.company,
            "journal": sample.journal_code,
            "accounts": [line.gl_account for line in sample.lines],
        }
        print(json.dumps(order), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
