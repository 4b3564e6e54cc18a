"""The words of a circuit's picture."""

from __future__ import annotations

from circuitsim.motif import GatedBy, Identity, Motif, Objective, OneToOne, Population, Projection, Random
from circuitsim.motif.roles import is_error, is_input

GLYPHS = ("linear", "relu", "tanh", "sigmoid")


def caption(motif: Motif, population: Population) -> tuple[str, str, str | None]:
    """A population's name, what stands below it, and the activation to draw as a curve (None: said in words)."""
    if is_error(motif, population):
        return population.name, f"{population.size} · error", None
    if is_input(motif, population):
        return population.name, f"{population.size} · input", None
    if isinstance(population.activation, GatedBy):
        return population.name, f"{population.size}\n× slope {population.activation.population}", None
    if population.activation in GLYPHS:
        return population.name, f"{population.size}", population.activation
    return population.name, f"{population.size}\n{_short(population.activation)}", None


def loss_caption(objective: Objective) -> str:
    """The loss, and whether its error is shuffled."""
    loss = {"cross_entropy": "cross-entropy", "mse": "squared error", "bce": "binary cross-entropy"}
    return f"loss\n{loss.get(objective.loss, objective.loss)}" + ("\n(shuffled)" if objective.shuffled else "")


def label(projection: Projection, narrow: bool = False) -> str:
    """A projection's name, and what is worth knowing of its weights: what it is tied to, one to one, sparse.

    Args:
        narrow: take two lines for a tie.
    """
    if projection.weight is not None:
        tie = projection.weight
        factor = f"{tie.scale:g} " if tie.scale != 1 else ""
        source = f"sign({tie.projection})" if tie.sign else tie.projection
        equals = "\n= " if narrow else " = "
        return f"{projection.name}{equals}{factor}{source}{'ᵀ' if tie.transpose else ''}"
    if isinstance(projection.connectivity, Random):
        return f"{projection.name}, {projection.connectivity.probability:.0%}"
    if isinstance(projection.connectivity, OneToOne):
        return f"{projection.name} = 1" if _is_identity(projection) else f"{projection.name}, 1:1"
    return projection.name


def _is_identity(projection: Projection) -> bool:
    return isinstance(projection.init, Identity) and not projection.is_plastic


def _short(expression: str, longest: int = 16) -> str:
    return expression if len(expression) <= longest else f"ƒ({expression[: longest - 4]}…)"
