"""A slow second opinion: one cycle of a declared motif, sample by sample, in NumPy float64.

It reads the declared values and the rule strings, with Python's `ast`, and nothing else of circuitsim: no
parser, no plan, no SymPy, no torch. What it computes is the text of the contract, not its implementation.
"""

from __future__ import annotations

import ast
import operator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

# -- expressions

_BINARY = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_COMPARE = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
ELEMENTWISE = {
    "where": lambda condition, yes, no: np.where(np.asarray(condition) != 0, yes, no),
    "abs": np.abs,
    "sign": np.sign,
    "relu": lambda x: np.maximum(x, 0.0),
    "tanh": np.tanh,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "minimum": np.minimum,
    "maximum": np.maximum,
    "clip": lambda x, low, high: np.minimum(np.maximum(x, low), high),
}


def evaluate(text: str, names: dict[str, Any], functions: dict[str, Any]) -> Any:
    """The value of an expression, by walking Python's syntax tree."""

    def value(node: ast.AST) -> Any:
        match node:
            case ast.Constant():
                return np.float64(node.value)
            case ast.Name():
                return names[node.id]
            case ast.UnaryOp(op=ast.USub()):
                return -value(node.operand)
            case ast.UnaryOp(op=ast.UAdd()):
                return value(node.operand)
            case ast.BinOp():
                return _BINARY[type(node.op)](value(node.left), value(node.right))
            case ast.Compare(ops=[op], comparators=[right]):
                return _COMPARE[type(op)](value(node.left), value(right)) * 1.0
            case ast.Call(func=ast.Name(id=name)):
                return functions[name](*map(value, node.args))
        raise ValueError(f"the oracle cannot read {ast.dump(node)}")

    with np.errstate(all="ignore"):
        return value(ast.parse(text, mode="eval").body)


def names_in(text: str) -> set[str]:
    """All names in an expression, functions included."""
    return {node.id for node in ast.walk(ast.parse(text, mode="eval")) if isinstance(node, ast.Name)}


# -- slopes, by forward differentiation


@dataclass(frozen=True, eq=False)
class Dual:
    """A value with its derivative with respect to `drive`."""

    value: Any
    slope: Any = 0.0
    __array_ufunc__ = None  # NumPy numbers on the left leave the arithmetic to this class
    __hash__ = None

    def __add__(self, other: Any) -> Dual:
        a, b = self, dual(other)
        return Dual(a.value + b.value, a.slope + b.slope)

    def __mul__(self, other: Any) -> Dual:
        a, b = self, dual(other)
        return Dual(a.value * b.value, a.slope * b.value + a.value * b.slope)

    def __truediv__(self, other: Any) -> Dual:
        a, b = self, dual(other)
        return Dual(a.value / b.value, (a.slope * b.value - a.value * b.slope) / b.value**2)

    def __pow__(self, exponent: Any) -> Dual:
        n = dual(exponent).value  # `drive` does not stand in exponents
        return Dual(self.value**n, n * self.value ** (n - 1) * self.slope)

    def __neg__(self) -> Dual:
        return Dual(-self.value, -self.slope)

    def __sub__(self, other: Any) -> Dual:
        return self + -dual(other)

    def __rsub__(self, other: Any) -> Dual:
        return dual(other) - self

    def __rtruediv__(self, other: Any) -> Dual:
        return dual(other) / self

    __radd__, __rmul__ = __add__, __mul__

    def __gt__(self, other: Any) -> Dual:
        return Dual((self.value > dual(other).value) * 1.0)

    def __ge__(self, other: Any) -> Dual:
        return Dual((self.value >= dual(other).value) * 1.0)

    def __lt__(self, other: Any) -> Dual:
        return Dual((self.value < dual(other).value) * 1.0)

    def __le__(self, other: Any) -> Dual:
        return Dual((self.value <= dual(other).value) * 1.0)

    def __eq__(self, other: object) -> Any:
        return Dual((self.value == dual(other).value) * 1.0)

    def __ne__(self, other: object) -> Any:
        return Dual((self.value != dual(other).value) * 1.0)


def dual(x: Any) -> Dual:
    """A constant, unless it is a Dual already."""
    return x if isinstance(x, Dual) else Dual(x)


def _chain(function: Any, derivative: Any) -> Any:
    def of_dual(x: Any) -> Dual:
        x = dual(x)
        return Dual(function(x.value), derivative(x.value) * x.slope)

    return of_dual


def _pick(condition: Any, yes: Any, no: Any) -> Dual:
    chosen, yes, no = np.asarray(dual(condition).value) != 0, dual(yes), dual(no)
    return Dual(np.where(chosen, yes.value, no.value), np.where(chosen, yes.slope, no.slope))


def _minimum(a: Any, b: Any) -> Dual:
    return _pick(dual(a) <= b, a, b)


def _maximum(a: Any, b: Any) -> Dual:
    return _pick(dual(a) >= b, a, b)


def _clip(x: Any, low: Any, high: Any) -> Dual:
    """At a bound the slope is that of the bound."""
    below = _pick(dual(x) > low, x, low)
    return _pick(dual(below) < high, below, high)


OF_DUAL = {
    "where": _pick,
    "abs": _chain(np.abs, np.sign),
    "sign": _chain(np.sign, np.zeros_like),
    "relu": _chain(lambda x: np.maximum(x, 0.0), lambda x: (x > 0) * 1.0),
    "tanh": _chain(np.tanh, lambda x: 1.0 - np.tanh(x) ** 2),
    "exp": _chain(np.exp, np.exp),
    "sqrt": _chain(np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "minimum": _minimum,
    "maximum": _maximum,
    "clip": _clip,
}


def _logistic(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-x))


NAMED = {  # activation -> activity, slope
    "linear": (lambda x: x, np.ones_like),
    "relu": (lambda x: np.maximum(x, 0.0), lambda x: (x > 0) * 1.0),
    "tanh": (np.tanh, lambda x: 1.0 - np.tanh(x) ** 2),
    "sigmoid": (_logistic, lambda x: _logistic(x) * (1.0 - _logistic(x))),
    "one": (np.ones_like, np.zeros_like),
}


# -- losses, for one sample: value and minus its gradient


def _cross_entropy(y: np.ndarray, target: Any) -> tuple[float, np.ndarray]:
    e = np.exp(y - y.max())
    onehot = np.zeros_like(y)
    onehot[int(target)] = 1.0
    return np.log(e.sum()) + y.max() - y[int(target)], onehot - e / e.sum()


def _mse(y: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
    return 0.5 * np.sum((y - target) ** 2), target - y


def _bce(y: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
    return np.sum(np.logaddexp(0.0, y) - target * y), target - _logistic(y)


LOSSES = {"cross_entropy": _cross_entropy, "mse": _mse, "bce": _bce}


# -- the cycle


@dataclass
class Result:
    """One step: of populations ``[batch, neuron]``, currents ``[batch, post]``, changes ``[post, pre]``."""

    activity: dict[str, np.ndarray] = field(default_factory=dict)
    drive: dict[str, np.ndarray] = field(default_factory=dict)
    slope: dict[str, np.ndarray] = field(default_factory=dict)
    trace: dict[str, np.ndarray] = field(default_factory=dict)
    current: dict[str, np.ndarray] = field(default_factory=dict)
    change: dict[str, np.ndarray] = field(default_factory=dict)
    loss: float = 0.0


class Oracle:
    """One replica of a motif.

    Args:
        motif: the declaration.
        weights: starting weights by projection, shape ``[post, pre]``; those of derived projections are recomputed.
        masks: present synapses by projection, shape ``[post, pre]``; without them, the declared ones (needed
            where connectivity is random).
        replica: which entry of per-replica parameters to use.
    """

    def __init__(
        self,
        motif: Any,
        weights: dict[str, np.ndarray],
        masks: dict[str, np.ndarray] | None = None,
        replica: int = 0,
    ) -> None:
        self.motif, self.replica = motif, replica
        self.populations = {p.name: p for p in motif.populations}
        self.projections = {p.name: p for p in motif.projections}
        self.masks = {name: declared_mask(motif, name) for name in self.projections} | (masks or {})
        self.weights = {
            name: np.where(self.masks[name], weights[name], 0.0).astype(float)
            for name, p in self.projections.items()
            if p.weight is None
        }
        self._derive()

    def step(self, x: Any, target: Any = None, eta_scale: float = 1.0) -> Result:
        """One cycle of a batch and one plasticity step."""
        result = self.cycle(x, target)
        for name, p in self.projections.items():
            result.change[name] = self._change(p, result, eta_scale)
        for name, p in self.projections.items():
            if p.weight is None and p.plastic and p.rule is not None:
                new = self.weights[name] + result.change[name]
                low, high = p.bounds or (None, None)
                new = new if low is None else np.maximum(new, low)
                new = new if high is None else np.minimum(new, high)
                self.weights[name] = np.where(self.masks[name], new, 0.0)
        self._derive()
        return result

    def cycle(self, x: Any, target: Any = None) -> Result:
        """Both streams, no plasticity."""
        result = Result()
        self._sweep(x, self._targets(target), result)
        for name, p in self.projections.items():
            seen = result.activity if p.target == "soma" else result.trace
            result.current[name] = np.stack([self.weights[name] @ sample for sample in seen[p.pre]])
        return result

    # -- activity

    def _sweep(self, x: Any, targets: dict[str, np.ndarray], result: Result) -> None:
        inputs = x if isinstance(x, dict) else dict.fromkeys(self.input_names(), x)
        n_samples = len(next(iter(inputs.values())))
        errors = {o.error: o for o in self.motif.objectives}

        def drive(name: str) -> np.ndarray:
            if name in errors:
                return self._error(errors[name], targets, result.activity[visit(errors[name].output)])
            if name in self.input_names():
                return np.asarray(inputs[name], dtype=float)
            total = np.zeros((n_samples, self.populations[name].size))
            for p in self.motif.projections:
                if p.post == name and p.target == "soma":
                    visit(p.pre)
                    for b in range(n_samples):
                        total[b] += self.weights[p.name] @ result.activity[p.pre][b]
            return total

        def visit(name: str) -> str:
            if name not in result.activity:
                result.drive[name] = drive(name)
                for gate in self._gates(name):
                    visit(gate)
                result.activity[name], result.slope[name] = self._activate(name, result)
                result.trace[name] = self._trace(name, result)
            return name

        for name in self.populations:
            visit(name)
        for o in self.motif.objectives:
            outputs = result.activity[o.output]
            losses = [LOSSES[o.loss](outputs[b], targets[o.output][b])[0] for b in range(n_samples)]
            result.loss += float(np.mean(losses))

    def input_names(self) -> list[str]:
        """Ascending populations that read a drive which no soma projection gives."""
        driven = {p.post for p in self.motif.projections if p.target == "soma"}
        return [
            name
            for name, p in self.populations.items()
            if p.stream == "ascending"
            and name not in driven
            and (not isinstance(p.activation, str) or p.activation in NAMED or "drive" in names_in(p.activation))
            and p.activation != "one"
        ]

    def _gates(self, name: str) -> list[str]:
        activation = self.populations[name].activation
        if not isinstance(activation, str):
            return [activation.population]
        found = set() if activation in NAMED else names_in(activation)
        return [n.split("_", 1)[1] for n in found if n.startswith(("activity_", "slope_"))]

    def _activate(self, name: str, result: Result) -> tuple[np.ndarray, np.ndarray]:
        activation, drive = self.populations[name].activation, result.drive[name]
        if not isinstance(activation, str):
            gate = result.slope[activation.population]
            return drive * gate, gate
        if activation in NAMED:
            activity, slope = NAMED[activation]
            return activity(drive), slope(drive)
        names: dict[str, Any] = {"drive": Dual(drive, np.ones_like(drive))}
        for gate in self._gates(name):
            names |= {f"activity_{gate}": result.activity[gate], f"slope_{gate}": result.slope[gate]}
        out = dual(evaluate(activation, names, OF_DUAL))
        return np.broadcast_to(out.value, drive.shape), np.broadcast_to(out.slope, drive.shape)

    def _trace(self, name: str, result: Result) -> np.ndarray:
        declared, activity = self.populations[name].trace, result.activity[name]
        if declared is None:
            return activity
        names = {"activity": activity, "drive": result.drive[name], "slope": result.slope[name]}

        def mean(values: Any) -> np.float64:
            return np.broadcast_to(values, activity.shape).mean()

        return np.broadcast_to(evaluate(declared, names, {**ELEMENTWISE, "mean": mean}), activity.shape)

    def _targets(self, target: Any) -> dict[str, np.ndarray]:
        if isinstance(target, dict):
            return {name: np.asarray(t) for name, t in target.items()}
        return {o.output: np.asarray(target) for o in self.motif.objectives}

    @staticmethod
    def _error(objective: Any, targets: dict[str, np.ndarray], output: np.ndarray) -> np.ndarray:
        pairs = zip(output, targets[objective.output], strict=True)
        error = np.stack([LOSSES[objective.loss](y, t)[1] for y, t in pairs])
        return np.roll(error, 1, axis=0) if objective.shuffled else error

    # -- plasticity

    def _change(self, p: Any, result: Result, eta_scale: float) -> np.ndarray:
        mask = self.masks[p.name]
        if p.weight is not None or p.rule is None or not p.plastic:
            return np.zeros(mask.shape)
        functions = ELEMENTWISE | reductions(mask)
        parameters = self._parameters(p, eta_scale)
        n_samples = len(result.activity[p.pre])
        total = np.zeros(mask.shape)
        for b in range(n_samples):
            names = self._names(p, result, b) | parameters
            total += np.broadcast_to(evaluate(p.rule.expression, names, functions), mask.shape)
        return np.where(mask, total / n_samples, 0.0)

    def _names(self, p: Any, result: Result, b: int) -> dict[str, np.ndarray]:
        """What the rule of one projection can read in sample b; post ``[post, 1]``, pre ``[1, pre]``."""
        names = {
            "pre": result.trace[p.pre][b][None, :],
            "post": result.trace[p.post][b][:, None],
            "drive_post": result.drive[p.post][b][:, None],
            "slope_post": result.slope[p.post][b][:, None],
            "w": self.weights[p.name],
        }
        dendrite = hetero = np.zeros_like(names["post"])
        for q in self.motif.projections:
            if q.post == p.post:
                current = result.current[q.name][b][:, None]
                names[f"I_{q.name}"] = current
                if q.name != p.name:
                    hetero = hetero + current
                    dendrite = dendrite + current if q.target == "dendrite" else dendrite
        return names | {"dendrite_post": dendrite, "hetero": hetero}

    def _parameters(self, p: Any, eta_scale: float) -> dict[str, Any]:
        values = {}
        for name, value in p.rule.parameters.items():
            value = np.asarray(value, dtype=float)
            value = value[self.replica] if value.ndim == 1 else value
            values[name] = value * eta_scale if name == "eta" else value
        return values

    def _derive(self) -> None:
        for name, p in self.projections.items():
            if p.weight is not None:
                source = self.weights[p.weight.projection]
                source = np.sign(source) if p.weight.sign else source
                self.weights[name] = p.weight.scale * (source.T if p.weight.transpose else source)


def reductions(mask: np.ndarray) -> dict[str, Any]:
    """Sums and maxima over present synapses; 0 where there is none."""

    def total(axis: int) -> Any:
        return lambda e: np.where(mask, e, 0.0).sum(axis=axis, keepdims=True)

    def largest(axis: int) -> Any:
        def function(e: Any) -> np.ndarray:
            found = np.where(mask, e, -np.inf).max(axis=axis, keepdims=True)
            return np.where(mask.any(axis=axis, keepdims=True), found, 0.0)

        return function

    return {"sum_in": total(1), "sum_out": total(0), "max_in": largest(1), "max_out": largest(0)}


def declared_mask(motif: Any, name: str) -> np.ndarray | None:
    """Shape ``[post, pre]``; None where it is drawn at random."""
    p = next(q for q in motif.projections if q.name == name)
    sizes = {population.name: population.size for population in motif.populations}
    shape = sizes[p.post], sizes[p.pre]
    if p.weight is not None:
        mask = declared_mask(motif, p.weight.projection)
        return mask.T if mask is not None and p.weight.transpose else mask
    match type(p.connectivity).__name__:
        case "All":
            return np.ones(shape, dtype=bool)
        case "OneToOne":
            return np.eye(*shape, dtype=bool)
        case "Mask":
            return p.connectivity.array != 0
        case "Edges":
            mask = np.zeros(shape, dtype=bool)
            for i, j in zip(p.connectivity.post, p.connectivity.pre, strict=True):
                mask[int(i), int(j)] = True
            return mask
        case "ReciprocalOf":
            mask = declared_mask(motif, p.connectivity.projection)
            return None if mask is None else mask.T
    return None
