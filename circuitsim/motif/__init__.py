"""Declarations of circuits, as frozen values and networkx graphs; needs neither torch nor matplotlib."""

from circuitsim.motif.connectivity import All, DistanceDependent, Edges, Local, Mask, OneToOne, Random, ReciprocalOf
from circuitsim.motif.init import Constant, Gaussian, Given, Identity, TransposeOf, Uniform
from circuitsim.motif.motif import Motif
from circuitsim.motif.objective import Objective
from circuitsim.motif.phase import Phase
from circuitsim.motif.population import Bias, GatedBy, Population
from circuitsim.motif.projection import Derived, Projection, Rewiring
from circuitsim.motif.rule import Rule
from circuitsim.motif.signal import Signal
from circuitsim.motif.state import State

__all__ = [
    "All", "Bias", "Constant", "Derived", "DistanceDependent", "Edges", "GatedBy", "Gaussian", "Given", "Identity",
    "Local", "Mask", "Motif", "Objective", "OneToOne", "Phase", "Population", "Projection", "Random",
    "ReciprocalOf", "Rewiring", "Rule", "Signal", "State", "TransposeOf",
    "Uniform",
]  # fmt: skip
