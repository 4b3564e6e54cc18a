"""Which synapses of a projection exist. Absent synapses have weight 0, for ever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from circuitsim.motif.value import Value, frozen_array


@dataclass(frozen=True, eq=False)
class All(Value):
    """Every pre-post pair is connected."""


@dataclass(frozen=True, eq=False)
class Random(Value):
    """Each synapse exists with this probability, independently, and for each replica anew.

    Args:
        probability: in (0, 1].
    """

    probability: float


@dataclass(frozen=True, eq=False)
class ReciprocalOf(Value):
    """A synapse i -> j exists exactly where the named projection has j -> i.

    Args:
        projection: name of a projection between the same two populations in the other direction.
    """

    projection: str


@dataclass(frozen=True, eq=False)
class OneToOne(Value):
    """Neuron i to neuron i; both populations have the same size."""


@dataclass(frozen=True, eq=False)
class Edges(Value):
    """The synapses listed: number k runs from neuron ``pre[k]`` to neuron ``post[k]``.

    Args:
        pre, post: index arrays of equal length, shape ``[synapse]``.
    """

    pre: Any
    post: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "pre", frozen_array(self.pre))
        object.__setattr__(self, "post", frozen_array(self.post))

    def mask(self, n_post: int, n_pre: int) -> np.ndarray:
        """Where the synapses are.

        Args:
            n_post, n_pre: sizes of the two populations.
        Returns:
            Boolean, shape ``[post, pre]``, True where a synapse exists.
        """
        present = np.zeros((n_post, n_pre), dtype=bool)
        present[self.post.astype(int), self.pre.astype(int)] = True
        return present


@dataclass(frozen=True, eq=False)
class Mask(Value):
    """The synapses where the array is not zero.

    Args:
        array: shape ``[post, pre]``.
    """

    array: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "array", frozen_array(self.array))


Connectivity = All | Random | ReciprocalOf | OneToOne | Edges | Mask
