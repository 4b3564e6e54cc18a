"""Motif -> plan, torch-free: the order of the sweeps, the currents, the distinct products, the terms."""

from circuitsim.plan.build import build_plan
from circuitsim.plan.plan import Change, Moment, Plan, PopulationPlan, ProjectionPlan

__all__ = ["Change", "Moment", "Plan", "PopulationPlan", "ProjectionPlan", "build_plan"]
