"""The commands of ``tieout``: one module each, with ``add(commands)`` and ``run(args) -> int``."""

__all__: list[str] = []
