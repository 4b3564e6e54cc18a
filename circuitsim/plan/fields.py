"""Local fields: neurons at one place of a map that see the same presynaptic neurons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Fields:
    """The synapses onto a map in which all neurons at a place see the same presynaptic neurons, each place as many.

    Then a product with the weights is one dense product at each place.

    Args:
        n_channels: the number of neurons at each place; neuron ``channel * n_places + place`` is at this place.
        seen: the presynaptic neurons that each place sees, in ascending order, ``[place, input]``.
    """

    n_channels: int
    seen: np.ndarray


def fields_of(numbers: np.ndarray, shape: tuple[int, int]) -> Fields | None:
    """Return the local fields of synapses; None if fields differ in size, or if no two neurons share one.

    Args:
        numbers: ``post * n_pre + pre`` of each synapse, in ascending order.
        shape: (post, pre).
    Example:
        >>> from circuitsim.plan.fields import fields_of
        >>> fields = fields_of(np.array([0, 1, 5, 6, 8, 9, 13, 14]), (4, 4))  # [place: channel] 0: 0, 1: 0, 0: 1, 1: 1
        >>> fields.n_channels, fields.seen.tolist()
        (2, [[0, 1], [1, 2]])
    """
    n_post, n_pre = shape
    n_seen, rest = divmod(len(numbers), n_post)
    if rest or not n_seen:
        return None
    post, pre = (index.reshape(n_post, n_seen) for index in np.divmod(numbers, n_pre))
    same = np.flatnonzero((pre == pre[0]).all(axis=1))
    if len(same) == 1 or (post != np.arange(n_post)[:, None]).any():
        return None
    n_places = int(same[1])
    if n_post % n_places or (pre.reshape(-1, n_places, n_seen) != pre[:n_places]).any():
        return None
    return Fields(n_post // n_places, pre[:n_places])
