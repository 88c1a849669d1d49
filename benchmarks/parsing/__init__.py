"""Reading speed of tieout beside the installed peers: ``python -m benchmarks.parsing``."""
