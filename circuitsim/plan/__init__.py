"""From a motif to a program, without torch: plans say what each phase computes, instructions how, and passes make the
instructions cheaper."""

from circuitsim.plan.build import build_plans, layout_of, synapses_of
from circuitsim.plan.circuitry import Circuitry, circuitry_of
from circuitsim.plan.emitter import emit
from circuitsim.plan.instructions import Instruction, Matrix, Neurons, Region, Register, Scalar, Synapses
from circuitsim.plan.plan import Plan, PopulationPlan, ProjectionPlan, Times
from circuitsim.plan.program import Image, Program

__all__ = [
    "Circuitry",
    "Image",
    "Instruction",
    "Matrix",
    "Neurons",
    "Plan",
    "PopulationPlan",
    "Program",
    "ProjectionPlan",
    "Region",
    "Register",
    "Scalar",
    "Synapses",
    "Times",
    "build_plans",
    "circuitry_of",
    "emit",
    "layout_of",
    "synapses_of",
]
