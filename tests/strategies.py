"""Hypothesis strategies: sound motifs of every kind, batches that fit them, rules that must be refused.

Structure is drawn by hypothesis, so that it shrinks; real numbers come from a seeded generator, since values that
are not round keep sums of different order away from the jumps of `sign`, `where` and comparisons.
"""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np

import circuitsim as cs
from circuitsim.motif.roles import is_input

SIZES = st.integers(1, 5)
SEEDS = st.integers(0, 2**16)
SCALARS = st.sampled_from([0.37, -0.61, 0.083, 1.9, -1.3])

# -- expressions

PARAMETERS = ("eta", "gamma", "theta")


@st.composite
def expressions(draw: Any, post_names: tuple[str, ...], parameters: tuple[str, ...], depth: int = 3) -> str:
    """An expression of the rule language whose value is finite wherever its names are.

    Args:
        post_names: names that belong to the postsynaptic neuron, currents among them.
        parameters: names of parameters.
        depth: how deeply it may nest.
    """
    leaves = ("pre", "w", *post_names, *parameters)
    leaf = st.sampled_from(leaves) | st.sampled_from(["2", "0.5", "-1.25", "3e-1", "0"])

    def grow(level: int) -> str:
        if level == 0 or draw(st.integers(0, 5)) == 0:
            return draw(leaf)
        kind = draw(st.sampled_from(_KINDS))
        return kind.format(
            *(grow(level - 1) for _ in range(3)),
            leaf=draw(st.sampled_from(leaves)),
            other=draw(st.sampled_from(leaves)),
        )

    return grow(depth)


# Products and sums come several times, being what rules are mostly made of. Comparisons and `sign`, which jump,
# look at a single quantity and away from the values where rounding could decide.
_KINDS = [
    *["{0} * {1} * ({2})", "({0}) * ({1})", "{0} + {1}", "{0} - ({1})", "({0} + {1}) * {2}"] * 3,
    "-({0})",
    "+({0})",
    "({0}) ** 2",
    "({0} - ({1})) ** 3",
    "({0}) / (0.7 + ({1}) ** 2)",
    "(0.4 + abs({0})) ** -2",
    "(0.3 + abs({0})) ** 0.5",
    "(0.3 + abs({0})) ** tanh({1})",
    "({leaf} > 0)",
    "({leaf} > 0.0371)",
    "({leaf} >= 0.0173) * ({0})",
    "({leaf} < -0.0219)",
    "(({0}) * ({leaf} <= 0.0131))",
    "({leaf} == 0)",
    "({leaf} != 0) * ({0})",
    "where({leaf} > 0.0471, {0}, {1})",
    "where({leaf}, {0}, {1})",
    "where(({leaf} > 0) * ({other} > -0.0833), {0}, {1})",
    "abs({0})",
    "sign({leaf})",
    "sign({leaf} - 0.0117)",
    "relu({0})",
    "tanh({0})",
    "exp(-abs({0}))",
    "exp(tanh({0}) * tanh({1}))",
    "sqrt(abs({0}) + 0.2)",
    "minimum({0}, {1})",
    "maximum({0}, {1})",
    "clip({0}, -0.51, 0.83)",
    "clip({0}, -abs({1}), abs({2}))",
    "sum_in({0})",
    "sum_out({0})",
    "max_in({0})",
    "max_out({0})",
    "sum_in({0} * {1})",
    "sum_out(({0}) ** 2)",
]

ACTIVATIONS = [
    "linear",
    "relu",
    "tanh",
    "sigmoid",
    "relu(drive) - 0.1 * relu(-drive)",
    "drive / (1 + abs(drive))",
    "sqrt(drive**2 + 1.5) - 1",
    "where(drive > 0.0137, drive, 0.05 * drive)",
    "clip(drive, -0.53, 0.71)",
    "clip(0.3, -drive, 0.5 + abs(drive))",
    "minimum(drive, 0.31)",
    "maximum(drive, -0.17 * drive)",
    "exp(-drive**2) * drive",
    "drive * (drive >= 0.0219)",
    "tanh(drive) ** 3 + sign(drive) * 0.2 * drive",
    "(0.5 + drive**2) ** 0.7 - 2 ** -1",
]
GATED = [
    "drive * activity_{0}",
    "tanh(drive + 0.3 * slope_{0})",
    "drive * (activity_{0} > 0.0119)",
    "relu(drive) * slope_{0} + 0.1 * activity_{0}",
]
CONSTANT = ["one", "0.73", "0.2 + activity_{0}"]
TRACES = [
    "activity / sqrt(mean(activity**2) + 0.05)",
    "tanh(activity) - 0.9 * mean(activity)",
    "activity * slope + 0.1 * drive",
    "activity - 0.5 * mean(abs(drive) * slope)",
]


# -- motifs


@st.composite
def motifs(draw: Any, replicas: int | None = None) -> cs.Motif:
    """A sound motif of a few small populations.

    Args:
        replicas: also draw parameters and weights that differ between that many replicas.
    """
    builder = _Builder(draw, replicas)
    builder.ascending()
    builder.objectives()
    builder.descending()
    builder.dendrites()
    builder.ties()
    return builder.finish()


class _Builder:
    """Draws a motif, one population after the other, each driven by earlier ones: so there is no cycle."""

    def __init__(self, draw: Any, replicas: int | None) -> None:
        self.draw, self.replicas = draw, replicas
        self.random = np.random.default_rng(draw(SEEDS))
        self.motif = cs.Motif(draw(st.sampled_from(["motif", "two_stream", "γ circuit"])))
        self.open: list[tuple[str, str, str, str]] = []  # projections to be: name, pre, post, target

    def chance(self, one_in: int) -> bool:
        return self.draw(st.integers(1, one_in)) == one_in

    def pick(self, values: Any) -> Any:
        return self.draw(st.sampled_from(list(values)))

    # -- populations

    def ascending(self) -> None:
        for k in range(self.draw(st.integers(1, 2))):
            self.add(f"x{k}", "ascending", activation=self.pick(ACTIVATIONS) if self.chance(4) else "linear")
        if self.chance(2):
            self.motif.add(cs.Bias("bias"))
        for layer in range(1, 1 + self.draw(st.integers(1, 3))):
            for k in range(self.draw(st.integers(1, 2))):
                self.driven(f"up{layer}_{k}", "ascending")

    def objectives(self) -> None:
        outputs = [p for p in self.motif.populations if p.name.startswith("up")]
        kinds: dict[str, str] = {}
        for k in range(self.draw(st.integers(0, 2))):
            output = self.pick(outputs)
            losses = ["mse", "bce"] + (["cross_entropy"] * 2 if output.size > 1 else [])
            loss = self.pick(losses)
            if kinds.setdefault(output.name, loss) != loss:
                continue  # one output has one target
            self.add(f"error{k}", "descending", size=output.size)
            self.motif.add(cs.Objective(output.name, f"error{k}", loss, shuffled=self.chance(4)))

    def descending(self) -> None:
        if self.chance(4):
            self.motif.add(cs.Bias("down_bias", stream="descending"))
        for k in range(self.draw(st.integers(0, 3))):
            self.driven(f"down{k}", "descending")
        if self.chance(4):  # a neuron of the ascending stream that hears of the error within the cycle
            self.driven("late", "ascending")
        if self.chance(4):
            self.add("tonic", "descending", activation=self.pick(CONSTANT))

    def driven(self, name: str, stream: str) -> None:
        """A population with one to three soma projections from earlier ones, near or far."""
        earlier = [p.name for p in self.motif.populations]
        if stream == "descending" and self.chance(2):
            earlier = [p.name for p in self.motif.populations if p.stream == stream] or earlier
        sources = self.draw(st.lists(st.sampled_from(earlier), min_size=1, max_size=3))
        self.add(name, stream)
        self.open += [(f"W_{name}_{k}", pre, name, "soma") for k, pre in enumerate(sources)]

    def add(self, name: str, stream: str, size: int | None = None, activation: Any = None) -> None:
        earlier = list(self.motif.populations)
        size = size or self.draw(SIZES)
        if earlier and (self.chance(3) or activation == "0.2 + activity_{0}"):
            gate = self.pick(earlier)
            size, gated = (gate.size, True) if not name.startswith("error") else (size, gate.size == size)
            if gated:
                activation = self.gated(gate.name) if activation is None else activation.format(gate.name)
        activation = activation or self.pick(ACTIVATIONS)
        trace = self.pick(TRACES) if self.chance(3) else None
        self.motif.add(cs.Population(name, size, stream, activation, trace))

    def gated(self, gate: str) -> Any:
        return cs.GatedBy(gate) if self.chance(2) else self.pick(GATED).format(gate)

    # -- projections

    def dendrites(self) -> None:
        names = [p.name for p in self.motif.populations]
        for k in range(self.draw(st.integers(0, 4))):
            self.open.append((f"V{k}", self.pick(names), self.pick(names), "dendrite"))

    def ties(self) -> None:
        """Decide which projections have weights of their own; the names of all are known by now."""
        tied: dict[str, cs.Derived] = {}
        for name, pre, post, _ in self.open:
            if self.chance(5) and (sources := self._sources(name, pre, post, tied)):
                source, transpose = self.pick(sources)
                scale = self.pick([1.0, -0.5, 1.7])
                tied[name] = cs.Derived(source, transpose=transpose, scale=scale, sign=self.chance(2))
        reciprocal: set[str] = set()
        for name, pre, post, target in self.open:
            bounds = self.pick([(-0.4, 0.6), (0.0, None), (None, 0.3)]) if self.chance(4) else None
            options: dict[str, Any] = {"target": target, "plastic": not self.chance(6)}
            if name in tied:
                options["weight"] = tied[name]
            else:
                shape = self.size(post), self.size(pre)
                options |= {"connectivity": self.connectivity(name, pre, post, tied, reciprocal), "bounds": bounds}
                options |= {"init": self.init(shape), "rule": None if self.chance(6) else self.rule(name, post, shape)}
            self.motif.connect(pre, post, name=name, **options)

    def _sources(self, name: str, pre: str, post: str, tied: dict[str, Any]) -> list[tuple[str, bool]]:
        used = {t.projection for t in tied.values()}
        if name in used:
            return []
        shape, found = (self.size(post), self.size(pre)), []
        for other, other_pre, other_post, _ in self.open:
            given = self.size(other_post), self.size(other_pre)
            if other != name and other not in tied:
                found += [(other, turned) for turned in (False, True) if (given[::-1] if turned else given) == shape]
        return found

    def size(self, population: str) -> int:
        return self.motif.population(population).size

    def connectivity(self, name: str, pre: str, post: str, tied: dict[str, Any], reciprocal: set[str]) -> Any:
        shape = self.size(post), self.size(pre)
        choices = ["All"] * 3 + ["Random", "Edges", "Mask"]
        choices += ["OneToOne"] * 2 if shape[0] == shape[1] else []
        named = {c.projection for p in self.motif.projections if isinstance(c := p.connectivity, cs.ReciprocalOf)}
        partners = [
            q
            for q, q_pre, q_post, _ in self.open
            if (q_pre, q_post) == (post, pre) and q != name and q not in tied and q not in reciprocal
        ]
        choices += ["ReciprocalOf"] * 3 if partners and name not in named else []
        match self.pick(choices):
            case "Random":
                return cs.Random(self.pick([0.3, 0.7, 1.0]))
            case "OneToOne":
                return cs.OneToOne()
            case "Edges":
                n = self.draw(st.integers(0, 6))
                return cs.Edges(pre=self.random.integers(shape[1], size=n), post=self.random.integers(shape[0], size=n))
            case "Mask":
                return cs.Mask(self.random.random(shape) < 0.6)
            case "ReciprocalOf":
                reciprocal.add(name)
                return cs.ReciprocalOf(self.pick(partners))
        return cs.All()

    def init(self, shape: tuple[int, int]) -> Any:
        given = self.random.normal(size=shape, scale=0.5)
        choices = [
            None,
            cs.Gaussian(gain=0.7),
            cs.Gaussian(gain=0.4, scaling="fan_out"),
            cs.Constant(0.2719),
            cs.Uniform(-0.5, 0.3),
            cs.Given(given),
        ]
        choices += [cs.Identity()] if shape[0] == shape[1] else []
        if self.replicas is not None:
            choices.append(cs.Given(self.random.normal(size=(self.replicas, *shape), scale=0.5)))
        return self.pick(choices)

    def rule(self, name: str, post: str, shape: tuple[int, int]) -> cs.Rule:
        onto = [f"I_{other}" for other, _, other_post, _ in self.open if other_post == post]
        post_names = ("post", "drive_post", "slope_post", "dendrite_post", "hetero", *onto)
        body = self.draw(expressions(post_names, PARAMETERS[1:]))
        form = self.pick(["eta * ({0})", "eta * ({0} - gamma * w)", "eta * ({0}) - 0.01 * w", "0.01 * ({0})"])
        values = {"eta": 0.01, "gamma": 0.1, "theta": 0.7}
        return cs.Rule(form.format(body), **{key: self.parameter(v, shape) for key, v in values.items()})

    def parameter(self, value: float, shape: tuple[int, int]) -> Any:
        """One number, one a synapse, or one a replica."""
        kind = self.draw(st.integers(0, 4))
        if kind == 4:
            return value * self.random.uniform(0.5, 1.5, size=shape)
        if kind == 3 and self.replicas is not None:
            return value * self.random.uniform(0.5, 1.5, size=self.replicas)
        return value * self.draw(st.sampled_from([1.0, 1.37, -0.6]))

    def finish(self) -> cs.Motif:
        self.motif.validate()
        return self.motif


@st.composite
def phases(draw: Any, motif: cs.Motif) -> list[cs.Phase]:
    """Two or three phases of a motif, each with a wiring of its own where that is sound."""
    n_phases, found = draw(st.integers(2, 3)), []
    projections = [p.name for p in motif.projections]
    owners = [*projections, *(p.name for p in motif.populations)]
    inputs = [p.name for p in motif.populations if p.name.startswith("x")]
    for k in range(n_phases):
        options: dict[str, Any] = {"errors": draw(st.integers(1, 4)) < 4}
        if projections and draw(st.booleans()):
            chosen = draw(st.lists(st.sampled_from(projections), unique=True))
            options["soma"] = {name: draw(st.sampled_from([1.0, 0.4, -1.3])) for name in chosen}
        if draw(st.booleans()):
            options["plastic"] = draw(st.lists(st.sampled_from(owners), unique=True))
        if draw(st.booleans()):
            options["inputs"] = draw(st.lists(st.sampled_from(inputs), unique=True))
        if draw(st.integers(1, 3)) == 3:
            options["noise"] = {draw(st.sampled_from([p.name for p in motif.populations])): 0.7}
        drafts = [options, options | {"plastic": []}, options | {"soma": None}, {}]
        rest = [cs.Phase("rest")] if k + 1 < n_phases else []
        found.append(next(f for o in drafts if _is_sound(motif, [*found, f := cs.Phase(f"phase{k}", **o), *rest])))
    return found


def _is_sound(motif: cs.Motif, phases: list[cs.Phase]) -> bool:
    copy = cs.Motif(motif.name)
    copy.add(*motif.populations, *motif.objectives, *motif.projections, *phases)
    try:
        copy.validate()
    except cs.MotifError:
        return False
    return True


# -- batches


@st.composite
def batches(draw: Any, motif: cs.Motif, n_samples: int | None = None) -> tuple[Any, Any]:
    """A batch (x, target) that fits the motif; both are dicts where there are several inputs or outputs."""
    random = np.random.default_rng(draw(SEEDS))
    n_samples = n_samples or draw(st.integers(1, 4))
    inputs = [p for p in motif.populations if is_input(motif, p)]
    x = {p.name: random.normal(size=(n_samples, p.size)) for p in inputs}
    targets: dict[str, np.ndarray] = {}
    for o in motif.objectives:
        size = motif.population(o.output).size
        if o.loss == "cross_entropy":
            targets[o.output] = random.integers(size, size=n_samples)
        elif o.loss == "bce":
            targets[o.output] = random.integers(2, size=(n_samples, size)).astype(float)
        else:
            targets[o.output] = random.normal(size=(n_samples, size))
    return _single(x), _single(targets)


def _single(values: dict[str, np.ndarray]) -> Any:
    """The value itself where there is one, None where there is none."""
    if len(values) > 1:
        return values
    return next(iter(values.values()), None)


# -- what must be refused

MALFORMED = [
    "",
    "   ",
    "w.real",
    "w.__class__.__mro__",
    "pre[0]",
    "(pre, post)",
    "[pre, post]",
    "{pre}",
    "{'w': w}",
    "print(w)",
    "eval('w')",
    "__import__('os').system('x')",
    "open('/etc/passwd')",
    "getattr(w, 'real')",
    "(lambda: w)()",
    "lambda x: x",
    "[x for x in (1, 2)]",
    "sum(w for _ in (1, 2))",
    "'w'",
    "b'w'",
    "f'{w}'",
    "(y := w)",
    "y = w",
    "w; pre",
    "w\npre",
    "w if pre else post",
    "w and pre",
    "w or pre",
    "not w",
    "~w",
    "w // 2",
    "w % 2",
    "w @ w",
    "w << 2",
    "w ^ 2",
    "w | pre",
    "0 < w < 1",
    "w is pre",
    "w in pre",
    "True",
    "None",
    "...",
    "1j * w",
    "*w",
    "yield w",
    "await w",
    "nonsense",
    "W0",
    "I_nobody * pre",
    "eta_W * pre",
    "os",
    "sum_in",
    "tanh",
    "tanh()",
    "tanh(w, w)",
    "tanh(x=w)",
    "tanh(*w)",
    "where(w, pre)",
    "clip(w, 1)",
    "mean(w)",
    "tanh(w)(pre)",
    "w(3)",
    "2(w)",
    "1e999 * w",
    "9" * 400 + " * w",
    "9 ** 9 ** 9 * w",
    "1e308 * 1e308 * w",
    "w / 1e-308 / 1e-308",
    "w / 0",
    "w / 0.0",
    "w / (pre - pre)",
    "0 ** -1 * w",
    "(-8) ** 0.5 * w",
    "sqrt(-1.0) * w",
    "exp(1e5) * w",
    "(w",
    "w)",
    "w +",
    "w pre",
    "* w",
    "w ** ",
    "0777 * w",
    "w!",
    "$w",
    "w\x00",
    "\ud800",
    "“w”",
    "(" * 150 + "w" + ")" * 150 + ")",
    "(" * 900 + "w" + ")" * 900,
    "-" * 1900 + "w",
    "abs(" * 150 + "w" + ")" * 150,
    "w ** " * 399 + "w",
    "tanh(w + " * 99 + "w" + ")" * 99,
    "w + " * 1000 + "w",
]


def malformed_rules() -> st.SearchStrategy[str]:
    """Texts that no rule may be."""
    calls = st.from_regex(r"[a-z]{3,12}_x\((w|pre|'w')\)", fullmatch=True)
    attributes = st.from_regex(r"(w|pre|eta)\.[a-z_]{1,10}(\(\))?", fullmatch=True)
    names = st.from_regex(r"zz[a-z_]{0,8}( [+*-] w)?", fullmatch=True)
    return st.sampled_from(MALFORMED) | calls | attributes | names
