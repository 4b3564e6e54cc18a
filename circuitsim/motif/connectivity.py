"""Connectivity patterns say which synapses of a projection exist. Absent synapses always have weight 0."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuitsim.errors import MotifError
from circuitsim.motif.arrays import Names, as_array, as_numbers, filled, is_frame, labelled, locked, names_of_axis
from circuitsim.motif.value import Value


@dataclass(frozen=True, eq=False)
class All(Value):
    """Every pre-post pair is connected."""


@dataclass(frozen=True, eq=False)
class Random(Value):
    """Each synapse exists with the given probability, drawn independently for every replica.

    Args:
        probability: the probability of each synapse, in (0, 1], or one for each pair, an array ``[post, pre]`` of
            numbers in [0, 1].
    Raises:
        MotifError: an entry of the array is no number, or it is a data frame, whose names are not read here.
    """

    probability: Any

    def __post_init__(self) -> None:
        if is_frame(self.probability):
            raise MotifError(
                "Random: probability is a data frame with names; use frame.to_numpy(), by the neurons' order"
            )
        if hasattr(self.probability, "__len__") and not isinstance(self.probability, str):
            self._set(probability=locked(as_numbers(self.probability, "Random probability")))


@dataclass(frozen=True, eq=False)
class DistanceDependent(Value):
    """Each synapse exists with a probability that depends on the distance of its neurons, drawn for every replica.

    Both populations need a `shape` or `positions`, of equal dimension.

    Args:
        probability: an expression in ``d``, the Euclidean distance, in the rule language. Its value must lie in [0, 1]
            for every pair; ``clip(..., 0, 1)`` sees to that.
    """

    probability: str


@dataclass(frozen=True, eq=False)
class Local(Value):
    """Each postsynaptic neuron sees a square of the presynaptic map around its own place: its receptive field.

    Both populations need a `shape` of the same dimension. The place q of the one sees the places p of the other for
    which ``|p - (stride * q + offset)| <= radius`` in every dimension, with all of their channels. The offset is the
    one that centres all fields together, rounded down: ``(n_pre - 1 - stride * (n_post - 1)) // 2``. These are the
    fields of a convolution with kernels of ``2 * radius + 1`` places, but every neuron has weights of its own, and
    fields end at the border.

    Args:
        radius: how many places a field extends to either side, a whole number, 0 or more.
        stride: how many presynaptic places lie between neighbouring fields, a whole number, 1 or more.
    Example:
        >>> import circuitsim as cs
        >>> motif = cs.Motif("eye")
        >>> retina = motif.add(cs.Population("retina", shape=(9,)))
        >>> cortex = motif.add(cs.Population("cortex", shape=(4,)))
        >>> W = motif.connect(retina, cortex, name="W", connectivity=cs.Local(radius=1, stride=2))
        >>> cs.compile(motif).mask("W")[0].int()
        tensor([[1, 1, 1, 0, 0, 0, 0, 0, 0],
                [0, 0, 1, 1, 1, 0, 0, 0, 0],
                [0, 0, 0, 0, 1, 1, 1, 0, 0],
                [0, 0, 0, 0, 0, 0, 1, 1, 1]], dtype=torch.int32)
    """

    radius: int
    stride: int = 1


@dataclass(frozen=True, eq=False)
class ReciprocalOf(Value):
    """The synapse i -> j exists exactly where the named projection has the synapse j -> i in the compiled circuit.

    Synapses that are later pruned, grown or rewired there do not change this projection.

    Args:
        projection: the name of a projection in the opposite direction, between the same two populations or others of
            the same sizes, such as their partners in the descending stream.
    """

    name_fields = ("projection",)

    projection: str


@dataclass(frozen=True, eq=False)
class OneToOne(Value):
    """Neuron i connects to neuron i only; both populations have the same size."""


@dataclass(frozen=True, eq=False)
class Edges(Value):
    """Only the listed synapses exist: synapse k runs from neuron ``pre[k]`` to neuron ``post[k]``.

    Args:
        pre, post: arrays of equal length with the indices of neurons, from 0, of shape ``[synapse]``.
        repeated: what several synapses of one pair mean. None refuses them. "sum" makes them one synapse whose initial
            weight is the sum of their weights: each listed synapse is drawn, or given by `Given`, on its own.
    Raises:
        MotifError: an entry of `pre` or `post` is no number.
    Example:
        >>> import circuitsim as cs
        >>> cs.Edges(pre=[0, 0, 2], post=[1, 1, 0], repeated="sum").mask(n_post=2, n_pre=3)
        array([[False, False,  True],
               [ True, False, False]])
    """

    pre: Any
    post: Any
    repeated: str | None = None

    def __post_init__(self) -> None:
        self._set(pre=_indices(self.pre, "pre"), post=_indices(self.post, "post"))

    def numbers(self, n_pre: int) -> np.ndarray:
        """Return ``post * n_pre + pre`` of each listed synapse, in the order of the list.

        Args:
            n_pre: the size of the presynaptic population.
        Returns:
            Integers of shape ``[synapse]``; a pair that is listed twice has the same number twice.
        """
        return self.post.astype(np.int64) * n_pre + self.pre.astype(np.int64)

    def synapses(self, n_pre: int) -> np.ndarray:
        """Return the numbers of the pairs that are connected, each once, in ascending order.

        Args:
            n_pre: the size of the presynaptic population.
        Returns:
            Integers of shape ``[pair]``, as in `numbers`.
        """
        post, pre = self._pairs
        return post * n_pre + pre

    @functools.cached_property
    def _pairs(self) -> tuple[np.ndarray, np.ndarray]:
        n_pre = int(self.pre.max(initial=0)) + 1
        return np.divmod(np.unique(self.numbers(n_pre)), n_pre)

    def mask(self, n_post: int, n_pre: int) -> np.ndarray:
        """Return the synapses as a mask.

        Args:
            n_post, n_pre: the sizes of the two populations.
        Returns:
            A boolean array of shape ``[post, pre]``, True where a synapse exists.
        """
        present = np.zeros((n_post, n_pre), dtype=bool)
        present.reshape(-1)[self.numbers(n_pre)] = True
        return present


def _indices(values: Any, end: str) -> np.ndarray:
    if as_array(values, f"Edges {end}").dtype == bool:
        raise MotifError(f"Edges {end} needs the indices of neurons (got booleans); use numpy.flatnonzero, or a Mask")
    try:
        return locked(as_numbers(values, f"Edges {end}"))
    except MotifError as error:
        advice = "indices of neurons; pandas.Index(names).get_indexer(column) turns a column of names into indices"
        raise MotifError(f"{error}: these must be {advice}") from None


@dataclass(frozen=True, eq=False, init=False)
class NamedMatrix(Value, is_declared=False):
    """An array, and the names of the neurons of its axes; see `Mask`."""

    array: Any
    post_names: Names
    pre_names: Names

    def __init__(
        self,
        array: Any,
        *,
        blank: float | None = None,
        post_names: Sequence[str] | None = None,
        pre_names: Sequence[str] | None = None,
    ) -> None:
        owner = type(self).__name__
        read, rows, columns = labelled(array, as_numbers(array, owner))
        post, pre = names_of_axis(post_names, read, -2, owner), names_of_axis(pre_names, read, -1, owner)
        self._set(post_names=rows if post is None else post, pre_names=columns if pre is None else pre)
        self._set(array=locked(filled(read, blank, owner)))


@dataclass(frozen=True, eq=False, init=False)
class Mask(NamedMatrix):
    """A synapse exists wherever the array is not zero.

    Args:
        array: shape ``[post, pre]``, a row for each postsynaptic neuron, or ``[replica, post, pre]``. A table with a
            row for each presynaptic neuron is transposed (``frame.T``). NumPy and torch arrays, SciPy's sparse
            matrices and pandas frames are taken. A frame whose labels are names is read by name: the first such matrix
            of a motif settles the order of the neurons of a population, and the rows and columns of all others are
            brought into that order.
        blank: the number that stands for blanks (NaN, None, masked entries): 0 if a blank means that there is no
            synapse. By default, a motif with blanks is refused.
        post_names, pre_names: the names of the neurons of each axis; those of a frame are its labels.
    Raises:
        MotifError: an entry is no number, or an axis has not one name for each neuron.
    Example:
        >>> import circuitsim as cs
        >>> cs.Mask([[1, None], [1, 1]], blank=0).array
        array([[1., 0.],
               [1., 1.]])
    """


Connectivity = All | Random | DistanceDependent | Local | ReciprocalOf | OneToOne | Edges | Mask
