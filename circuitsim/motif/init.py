"""Distributions of the initial weights of a projection."""

from __future__ import annotations

from dataclasses import dataclass

from circuitsim.motif.connectivity import NamedMatrix
from circuitsim.motif.value import Value


@dataclass(frozen=True, eq=False)
class Gaussian(Value):
    """The weights are normal with mean zero and standard deviation ``gain / sqrt(n)``, or half-normal of that scale.

    Args:
        gain: a dimensionless factor.
        scaling: what `n` counts: "fan_in" (the existing presynaptic partners of the postsynaptic neuron)
            or "fan_out" (the existing postsynaptic partners of the presynaptic neuron). Repeated synapses count
            one by one.
        sign: None, or "positive" or "negative" for half-normal weights: the magnitudes of the same normal numbers, all
            of this sign.
    """

    gain: float = 1.0
    scaling: str = "fan_in"
    sign: str | None = None


@dataclass(frozen=True, eq=False)
class Identity(Value):
    """The weight is 1 where post == pre, else 0."""


@dataclass(frozen=True, eq=False)
class Constant(Value):
    """Every existing synapse has the same weight.

    Args:
        value: the weight, dimensionless.
    """

    value: float


@dataclass(frozen=True, eq=False)
class Uniform(Value):
    """The weights are independent and uniform in [low, high).

    Args:
        low, high: the ends of the interval, dimensionless; low < high.
    """

    low: float
    high: float


@dataclass(frozen=True, eq=False, init=False)
class Given(NamedMatrix):
    """The weights are the entries of an array, which is 0 wherever there is no synapse.

    Args:
        array: shape ``[post, pre]`` or ``[replica, post, pre]``, or ``[synapse]`` with one weight for each synapse that
            `Edges` lists; dimensionless. It may be of any kind that a `Mask` may be of, and frames are read in the
            same way.
        blank: the number that stands for blanks (NaN, None, masked entries), such as 0. By default, a motif with
            blanks is refused.
        post_names, pre_names: the names of the neurons of each axis; those of a frame are its labels.
    Raises:
        MotifError: an entry is no number, or an axis has not one name for each neuron.
    """


@dataclass(frozen=True, eq=False)
class TransposeOf(Value):
    """The initial weights are those of another projection, transposed. Both change apart from then on.

    A synapse that the other projection lacks starts at 0. Weights are clipped to the bounds.

    Args:
        projection: the name of a projection between populations of the same sizes in the opposite direction, whose
            weights are neither tied nor a transpose themselves.
    Example:
        >>> import circuitsim as cs
        >>> motif = cs.Motif("mirror")
        >>> x, y = motif.add(cs.Population("x", size=3), cs.Population("y", size=2))
        >>> W = motif.connect(x, y, name="W")
        >>> V = motif.connect(y, x, name="V", compartment="dendrite", init=cs.TransposeOf("W"))
        >>> circuit = cs.compile(motif)
        >>> bool((circuit.weights("V") == circuit.weights("W").mT).all())
        True
    """

    name_fields = ("projection",)

    projection: str


Init = Gaussian | Identity | Constant | Uniform | Given | TransposeOf
