"""tieout: bank files in, posted and proven books out.

The importable core. Layers point down (see ARCHITECTURE.md): ``stages`` are the use cases,
``matching``, ``adjustments``, ``exceptions`` derive conclusions, ``posting`` and ``reports`` carry
effects out, ``ledger`` keeps the facts, and the modules beside this one are the ground floor.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
