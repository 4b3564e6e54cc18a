"""How fast a step is, beside its matrix products alone and beside hand-written rivals."""

from circuitsim.studies.bench.bench import bench

__all__ = ["bench"]
