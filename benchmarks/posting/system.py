"""One vendor's system in a process of its own: ``python -m benchmarks.posting.system VENDOR``.

Takes its `Budget` as JSON behind the name, prints how to reach it as a line of JSON, and when its
input is closed another line with what its meter counted.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module

from benchmarks.posting.meter import Budget, Meter
from tests.posting.crash.vendors import order_of, plan_of

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
        plan = plan_of(rig)
        assert plan is not None, "a simulator has one"
        meter = Meter(Budget(**json.loads(sys.argv[2])), plan)
        print(json.dumps(order), flush=True)
        sys.stdin.read()
        print(json.dumps(meter.told()), flush=True)


if __name__ == "__main__":
    main()
