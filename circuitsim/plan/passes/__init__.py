"""Optimisation passes, each of which turns a program into an equivalent one."""

from circuitsim.plan.passes.distribution import distribute
from circuitsim.plan.passes.fusion import fuse_gates, fuse_sums
from circuitsim.plan.passes.reassociation import Sizes, reassociate
from circuitsim.plan.passes.rematerialization import rematerialize
from circuitsim.plan.passes.rewriting import without_dead_code
from circuitsim.plan.passes.sharing import share_common_subexpressions, without_relays
from circuitsim.plan.passes.updates import update_in_place

__all__ = [
    "Sizes",
    "distribute",
    "fuse_gates",
    "fuse_sums",
    "reassociate",
    "rematerialize",
    "share_common_subexpressions",
    "update_in_place",
    "without_dead_code",
    "without_relays",
]
