"""Motif -> plan, torch-free: the order of the sweeps, the currents, the distinct products, the terms."""

from circuitsim.plan.build import build_plan, build_plans, layout_of
from circuitsim.plan.plan import Change, Moment, Plan, PopulationPlan, ProjectionPlan, StatePlan

__all__ = [
    "Change",
    "Moment",
    "Plan",
    "PopulationPlan",
    "ProjectionPlan",
    "StatePlan",
    "build_plan",
    "build_plans",
    "layout_of",
]
