"""Measures of a circuit's self-assembly: the alignment of its pathways and of its learning signal."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from circuitsim.analysis.gradient import loss_gradients
from circuitsim.engine import Circuit
from circuitsim.errors import ParameterError, check_kind
from circuitsim.motif import Motif, Projection
from circuitsim.plan.quantities import BATCH_SIZE, synapse
from circuitsim.rules import Term

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["quantity", "site", "replica", "index", "value", "reason"]
Row = tuple[str, str, int, int, float, str]


QUANTITIES = (
    "mirror_cosine", "stationarity_cosine", "stationarity_residual", "gradient_cosine", "eigenvalue", "norm",
)  # fmt: skip


def alignment(
    circuit: Circuit,
    x: Any,
    target: Any,
    quantities: str | Collection[str] = QUANTITIES,
    signals: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    r"""Measure the alignment of the circuit's pathways and of its learning signal, per site and replica.

    - ``mirror_cosine``, at V: cos(V, Vt^T) over the synapses that exist in both
    - ``stationarity_cosine``, at W: cos(W Vt^T, V' Wt^T), where V' is the V onto W's postsynaptic population
    - ``stationarity_residual``, at W: ``|a - b| / sqrt(|a| |b|)`` of these, each in its own units of eta / gamma
    - ``gradient_cosine``, at W: cosine of the data term of W's change (without decay) with -dLoss/dW
    - ``eigenvalue``, at V: eigenvalues of V V^T, ascending and numbered by `index`
    - ``norm``, at every projection: Frobenius norm

    Args:
        circuit: the circuit. Its weights are not changed, but its activities become those of (x, target).
        x, target, signals: a batch, as in `Circuit.step`. Only ``gradient_cosine`` reads them.
        quantities: the quantity or quantities to compute (all by default; eigenvalues make a long table).
    Returns:
        A tidy table with columns quantity, site, replica, index, value and reason. `reason` explains values that are
        NaN (0 / 0).
    Raises:
        ParameterError: a quantity is unknown.
        DataError: `x`, `target` or `signals` does not fit the motif.
    Example:
        >>> import circuitsim as cs
        >>> from motifs import sal
        >>> data, circuit = cs.load_dataset("digits"), cs.compile(sal([64, 32, 32, 10]), seed=0)
        >>> history = cs.fit(circuit, data, epochs=10, progress=False)
        >>> table = cs.alignment(circuit, data.test.x, data.test.target, ["mirror_cosine", "gradient_cosine"])
        >>> sorted(set(table.site)), bool(table.value.between(-1, 1).all())
        (['V1', 'V2', 'W0', 'W1', 'W2'], True)

    Source: Liao et al. (2024), arXiv 2412.20018, Lemma 1 (mirror) and Theorem 1 (stationarity, gradient, V V^T).
    """
    check_kind("alignment", circuit, Circuit, "cs.compile(motif) makes one")
    quantities = (quantities,) if isinstance(quantities, str) else quantities
    if not isinstance(quantities, Collection):
        raise ParameterError(f"alignment: quantities must be a list of {list(QUANTITIES)} (got {quantities!r})")
    unknown = set(quantities) - set(QUANTITIES)
    if unknown:
        raise ParameterError(f"alignment: unknown quantities {sorted(unknown)} (known: {list(QUANTITIES)})")
    wanted = set(quantities)
    rows: list[Row] = []
    weights = {p.name: circuit.weights(p.name).to_dense() for p in circuit.motif.projections}
    pairs = mirror_pairs(circuit.motif)
    for v, vt in pairs if "mirror_cosine" in wanted else ():
        both = circuit.mask(v).to_dense() & circuit.mask(vt).to_dense().transpose(1, 2)
        a, b = weights[v] * both, weights[vt].transpose(1, 2) * both
        rows += _rows("mirror_cosine", v, cosine(a, b), zero_reason(a, b, (v, vt)))
    for square in squares(circuit.motif) if wanted & {"stationarity_cosine", "stationarity_residual"} else ():
        rows += _stationarity(circuit, square, weights)
    if circuit.motif.objectives and "gradient_cosine" in wanted:
        rows += _gradient(circuit, x, target, signals)
    for v, _ in pairs if "eigenvalue" in wanted else ():
        eigenvalues = torch.linalg.eigvalsh(weights[v].double() @ weights[v].double().transpose(1, 2))
        for index in range(eigenvalues.shape[1]):
            rows += _rows("eigenvalue", v, eigenvalues[:, index], index=index)
    for name, w in weights.items() if "norm" in wanted else ():
        rows += _rows("norm", name, w.double().flatten(1).norm(dim=1))
    import pandas as pd  # late: it takes half a second to import

    return pd.DataFrame([row for row in rows if row[0] in wanted], columns=COLUMNS)


def _stationarity(circuit: Circuit, square: Square, weights: dict[str, Tensor]) -> Iterator[Row]:
    """Compare both sides of Theorem 1, which equal V' E[g h^T] Vt^T at rest, each in units of eta / gamma."""
    up = weights[square.W].double() @ weights[square.Vt].double().transpose(1, 2)
    down = weights[square.V].double() @ weights[square.Wt].double().transpose(1, 2)
    names = (f"{square.W} {square.Vt}^T", f"{square.V} {square.Wt}^T")
    reasons = zero_reason(up, down, names)
    yield from _rows("stationarity_cosine", square.W, cosine(up, down), reasons)
    units = [_decay_per_drive(circuit, name) for name in (square.W, square.Wt)]
    if any(unit is None for unit in units):
        units = [1.0, 1.0]  # without a decay of the form gamma * w, compare them unscaled
    residual = relative_residual(up * _column(units[0]), down * _column(units[1]))
    yield from _rows("stationarity_residual", square.W, residual, reasons)


def _decay_per_drive(circuit: Circuit, projection: str) -> float | Tensor | None:
    """Return gamma / eta for a rule ``eta * drive - gamma * w``, and gamma for ``eta * (drive - gamma * w)``.

    It has shape ``[replica]`` if the replicas differ, and is None if the rule does not have this form.
    """
    rule = circuit.plan.projections[projection].rule
    terms = rule.terms if rule is not None else ()
    drive = [t for t in terms if isinstance(t, Term) and t.has_data]
    decay = [t for t in terms if isinstance(t, Term) and not t.has_data and t.weight == synapse("w", projection)]
    if len(drive) != 1 or len(decay) != 1 or len(terms) != 2:
        return None
    ratio = -decay[0].coefficient / drive[0].coefficient
    if BATCH_SIZE in ratio.free_symbols:  # the ratio is not a constant of the rule
        return None
    value = circuit.value(ratio)
    return value.flatten() if isinstance(value, Tensor) else value


def _column(unit: Any) -> Any:
    return unit.double().view(-1, 1, 1) if isinstance(unit, Tensor) else unit


def _gradient(circuit: Circuit, x: Any, target: Any, signals: Mapping[str, Any] | None) -> Iterator[Row]:
    gradients = loss_gradients(circuit, x, target)
    drives = {name: change.to_dense() for name, change in circuit.data_terms(x, target, signals).items()}
    for name, gradient in gradients.items():
        if name not in drives:
            continue  # not plastic
        reasons = zero_reason(drives[name], gradient, (f"the data term of {name}", "the gradient"))
        yield from _rows("gradient_cosine", name, cosine(drives[name], -gradient), reasons)


def _rows(quantity: str, site: str, values: Tensor, reasons: list[str] | None = None, index: int = 0) -> Iterator[Row]:
    for replica, value in enumerate(values.tolist()):
        yield quantity, site, replica, index, value, reasons[replica] if reasons else ""


# -- the parts of a motif to which the theory applies


@dataclass(frozen=True)
class Square:
    r"""The names of four projections that form the reciprocal motif around one W.

    up_l  --W-->  up_{l+1}
     | Vt            ^ V
     v               |
    down_l <--Wt-- down_{l+1}
    """

    W: str
    V: str
    Vt: str
    Wt: str


def mirror_pairs(motif: Motif) -> list[tuple[str, str]]:
    """Return the names of all dendritic projections V (descending to ascending), each with its reciprocal Vt."""
    return [
        (v.name, vt.name)
        for v in _between(motif, "dendrite", "descending", "ascending")
        for vt in _between(motif, "dendrite", "ascending", "descending")
        if (vt.pre, vt.post) == (v.post, v.pre)
    ]


def squares(motif: Motif) -> list[Square]:
    return [
        Square(w.name, v.name, vt.name, wt.name)
        for w in _between(motif, "soma", "ascending", "ascending")
        for v in _between(motif, "dendrite", "descending", "ascending")
        for vt in _between(motif, "dendrite", "ascending", "descending")
        for wt in _between(motif, "soma", "descending", "descending")
        if w.post == v.post and w.pre == vt.pre and vt.post == wt.post and v.pre == wt.pre
    ]


def _between(motif: Motif, compartment: str, pre: str, post: str) -> list[Projection]:
    return [
        p
        for p in motif.projections
        if p.compartment == compartment
        and motif.population(p.pre).stream == pre
        and motif.population(p.post).stream == post
    ]


# -- measures of matrices per replica, in float64; undefined values are NaN, never 0


def cosine(a: Tensor, b: Tensor) -> Tensor:
    """Return the cosine ``[replica]`` of the angle between two matrices ``[replica, post, pre]`` as vectors."""
    a, b = a.double().flatten(1), b.double().flatten(1)
    return (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1))  # 0 / 0 is NaN


def relative_residual(a: Tensor, b: Tensor) -> Tensor:
    """Return ``|a - b| / sqrt(|a| |b|)``, of shape ``[replica]``, which is 0 where the matrices are equal."""
    a, b = a.double().flatten(1), b.double().flatten(1)
    return (a - b).norm(dim=1) / torch.sqrt(a.norm(dim=1) * b.norm(dim=1))


def zero_reason(a: Tensor, b: Tensor, names: tuple[str, str]) -> list[str]:
    """Explain for each replica why a cosine is NaN; the text is empty where it is defined."""
    zeros = [[float(part.norm()) == 0.0 for part in side] for side in (a, b)]
    return [
        " and ".join(f"{name} is zero" for name, zero in zip(names, pair, strict=True) if zero)
        for pair in zip(*zeros, strict=True)
    ]
