"""Sound motifs of all that can be declared: states, signals, phases, names that collide, listed synapses, gates."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st

import circuitsim as cs
from tests.oracle import names_in
from tests.oracle.wiring import changes, compartments, driven, input_names
from tests.strategies.expressions import ACTIVATIONS, GATED_PRODUCTS, MEANS, PARAMETERS, expressions
from tests.strategies.motifs import Builder

# Names and updates of states: {0} is the state, {1} another one of the same owner. `rate` may get another name.
NEURON_STATES = ["s", "theta", "eta", "tau", "w"]
SYNAPSE_STATES = ["s", "e", "tau", "activity", "drive"]
PARAMETER_NAMES = ["rate", "gamma", "eta"]
NEURON_UPDATES = [
    "0",
    "1.5",
    "{1}",
    "activity",
    "{0} + rate * (activity - {0})",
    "0.9 * {0} + rate * tanh(activity) ** 2",
    "0.5 * {0} + tanh(drive) * slope",
    "0.3 * {1} + rate * mean(activity)",
    "0.5 * {0} + rate * softmax(activity) * norm(slope)",
    "0.5 * {0} + rate * sum(activity * {1})",
    "(activity > 0.0931) * {0} + 0.01",
]
SYNAPSE_UPDATES = [
    "0",
    "1.5",
    "w",
    "{1}",
    "0.9 * {0} + rate * post * pre",
    "0.5 * {0} + rate * tanh(hetero) * pre",
    "0.7 * {1} + rate * sum_in(w * pre)",
    "(pre > 0.0931) * {0} + 0.01",
    "0.5 * {0} + rate * minimum({1}, post * pre)",
]
RECURRENT = [  # of populations that a phase may compute several times
    "0.6 * previous + tanh(drive)",
    "previous + 0.3 * (tanh(drive) - previous)",
    "relu(drive - 0.5 * previous)",
    "0.5 * softmax(previous) + tanh(drive - 0.2 * max(previous))",
    "where(previous > 0.0931, tanh(drive), 0.4 * drive)",
]
STATEFUL = [
    "relu(drive - 0.1 * {0})",
    "drive - 0.1 * max({0}) * norm(drive)",
    "drive * tanh({0})",
    "tanh(drive) + 0.1 * {0}",
    "{0} * drive",
]
STATEFUL_TRACES = ["activity - 0.2 * {0}", "tanh(activity) * {0} + 0.1 * mean(drive)"]

# What a schedule may change: products, and comparisons of `eta`, which starts at a multiple of 0.01.
FORMS = [
    *["eta * ({0})", "eta * ({0} - gamma * w)", "eta * ({0}) - 0.01 * w"] * 2,
    "0.01 * ({0})",
    "eta * batch_size / (batch_size + 3) * ({0} - gamma * w)",
    "eta * ({0}) * (eta > 0.0089)",
    "(0.0089 < eta) * 0.01 * ({0})",
    "0.01 * where(eta > 0.0089, {0}, post * pre - w)",
    "eta * minimum(pre, post) * (eta <= 0.0089)",
]
SIGNAL_FORMS = ["eta * {signal} * pre", "eta * {signal}", "eta * {signal} * w", "eta * {signal} * ({0})"]
COMPUTED = [  # signals of populations that every motif has
    "sqrt(mean(activity_up1_0 ** 2) + 0.1)",
    "mean(activity_x0) - 0.5 * mean(abs(drive_up1_0))",
    "tanh(mean(slope_up1_0 * activity_up1_0 ** 2))",
    "1.5",
]
HEBB = ["eta * post * pre", "beta * post * pre", "eta * (post * pre - gamma * w)", "beta * (post * pre - gamma * w)"]


@st.composite
def rich_motifs(draw: Any, replicas: int | None = None) -> cs.Motif:
    """A sound motif of everything that can be declared.

    Args:
        replicas: also draw parameters and weights that differ between that many replicas.
    """
    builder = RichBuilder(draw, replicas)
    builder.ascending()
    builder.objectives()
    builder.label()
    builder.descending()
    builder.dendrites()
    builder.recurrent()
    builder.pairs()
    builder.ties()
    motif = builder.motif
    if builder.n_phases:
        motif.add(*draw(sound_phases(motif, builder.n_phases)))
    return motif


class RichBuilder(Builder):
    """Draws what `Builder` draws, with states, signals, wide populations, and names that several things share."""

    def __init__(self, draw: Any, replicas: int | None) -> None:
        super().__init__(draw, replicas)
        self.n_phases = self.pick([0, 0, 1, 2, 2, 3])
        self.is_wide, self.names_collide, self.hebb = self.chance(4), self.chance(3), set()
        self.delays: dict[str, int] = {}
        if self.is_wide:
            self.sizes = st.sampled_from(draw(st.lists(st.integers(32, 60), min_size=1, max_size=2)))
        self.signals = [self.pick(["rew", "rew", "x0", "up1_0"])] if self.chance(3) else []
        self.motif.add(*map(cs.Signal, self.signals))
        if self.chance(4):
            self.signals.append("size")
            self.motif.add(cs.Signal("size", self.pick(COMPUTED)))

    # -- populations

    def population(self, name: str, size: int, stream: str, activation: Any, trace: str | None) -> cs.Population:
        states = self.states(NEURON_STATES, [*NEURON_UPDATES, *(f"0.5 * {{0}} + 0.1 * {s}" for s in self.signals)])
        if states and isinstance(activation, str) and not name.startswith(("x", "tonic")) and self.chance(2):
            activation = self.pick(STATEFUL).format(*states)
        elif activation in ACTIVATIONS and not name.startswith(("x", "tonic")) and self.chance(5):
            activation = self.pick(RECURRENT)
        if states and self.chance(4):
            trace = self.pick(STATEFUL_TRACES).format(*states)
        return cs.Population(name, size, stream, activation, trace, states)

    def states(self, names: list[str], updates: list[str]) -> dict[str, cs.State]:
        """None, mostly; else one or two."""
        if not self.chance(4):
            return {}
        chosen = self.draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))
        free = [name for name in PARAMETER_NAMES if name not in chosen]
        found = {}
        for k, name in enumerate(chosen):
            update, rate = self.pick(updates).format(name, chosen[k - 1]), self.pick(free)
            parameters = {rate: 0.137} if "rate" in update else {}
            found[name] = cs.State(update.replace("rate", rate), start=self.pick([0.0, 1.0, -0.31]), **parameters)
        return found

    def projection_name(self, post: str, k: int) -> str:
        return post if self.names_collide and k == 0 else super().projection_name(post, k)

    # -- projections

    def recurrent(self) -> None:
        """Projections with a delay, which may close a cycle; earlier ones may get one too."""
        driven = [p.name for p in self.motif.populations if p.name.startswith(("up", "down")) and p.name != "down_bias"]
        for k in range(self.pick([0, 0, 0, 1, 2])):
            name = f"R{k}"
            self.open.append((name, self.pick(driven), self.pick(driven), "soma"))
            self.delays[name] = self.pick([1, 1, 2, 3])

    def delay(self, name: str) -> int:
        return self.delays.get(name, 0)

    def pairs(self) -> None:
        """Two rules of one product, seen from both sides; their rates are one number, until a schedule parts them."""
        if self.chance(2):
            names = [p.name for p in self.motif.populations]
            a, b = self.pick(names), self.pick(names)
            self.open += [("V", a, b, "dendrite"), ("Vt", b, a, "dendrite")]
            self.hebb |= {"V", "Vt"}

    def connectivity(self, name: str, pre: str, post: str, tied: dict[str, Any], reciprocal: set[str]) -> Any:
        shape = self.size(post), self.size(pre)
        if min(shape) >= 32 and self.chance(2):  # listed synapses
            if self.chance(2):
                return cs.Random(self.pick([0.01, 0.03, 0.05]))
            n = self.draw(st.sampled_from([0, 1, 7, shape[0] * shape[1] // 25]))
            pairs = self.random.choice(shape[0] * shape[1], size=n, replace=False)
            return cs.Edges(pre=pairs % shape[1], post=pairs // shape[1])
        return super().connectivity(name, pre, post, tied, reciprocal)

    def synapse_states(self, name: str) -> dict[str, cs.State]:
        updates = [*SYNAPSE_UPDATES, *(f"0.5 * {{0}} + 0.1 * {s} * pre" for s in self.signals)]
        self.own = self.states(SYNAPSE_STATES, updates)
        return self.own

    def rule(self, name: str, post: str, shape: tuple[int, int]) -> cs.Rule:
        values = {"eta": 0.01, "gamma": 0.1, "theta": 0.7}
        if name in self.hebb:
            return cs.Rule(self.pick(HEBB), eta=0.01, gamma=0.1, beta=0.01)
        pre = next(p for other, p, *_ in self.open if other == name)
        onto = [f"I_{other}" for other, _, other_post, _ in self.open if other_post == post]
        names = ["post", "drive_post", "slope_post", "dendrite_post", "hetero", *onto, *self.signals, *self.own]
        names += ["activity_post", "activity_pre", "drive_pre", "slope_pre"]
        names += [f"{state}_pre" for state in self.motif.population(pre).state]
        names += [f"{state}_post" for state in self.motif.population(post).state]
        form = self.pick([*FORMS, *SIGNAL_FORMS] if self.signals else FORMS)
        if self.n_phases and self.chance(5):
            form = f"({form}) * (0.7 - in_phase{self.pick(range(self.n_phases))})"
        body = (
            self.draw(expressions(tuple(names), PARAMETERS[1:], depth=2, more=GATED_PRODUCTS + MEANS))
            if "{0}" in form
            else ""
        )
        text = form.format(body, signal=self.pick(self.signals or [""]))
        return cs.Rule(text, **{key: self.parameter(v, shape) for key, v in values.items()})


# -- phases


@st.composite
def sound_phases(draw: Any, motif: cs.Motif, n: int) -> list[cs.Phase]:
    """Phases that are sound as they are made: no cycle, every rule finds the currents that it names."""
    apply = draw(st.sampled_from([["phase", "phase", "iteration"], ["step"]]))
    order = {p.name: k for k, p in enumerate(motif.populations)}
    driven_otherwise = {o.error for o in motif.objectives} | {p.name for p in motif.populations if p.source}
    can_drive = [  # gates and objectives, too, run from earlier populations to later ones
        p.name for p in motif.projections
        if (order[p.pre] < order[p.post] or p.delay) and p.post not in driven_otherwise and not p.post.startswith("x")
    ]  # fmt: skip
    owners = list(dict.fromkeys([*(p.name for p in motif.projections), *order]))
    noisy = [name for name in order if name != "x0"]
    found = []
    for k in range(n):
        options: dict[str, Any] = {"errors": draw(st.integers(1, 4)) < 4, "apply": draw(st.sampled_from(apply))}
        options["repeat"] = draw(st.sampled_from([1, 1, 2, 3]))
        if draw(st.booleans()):
            chosen = draw(st.lists(st.sampled_from(can_drive), unique=True)) if can_drive else []
            options["soma"] = {name: draw(st.sampled_from([1.0, 0.4, -1.3])) for name in chosen}
        if draw(st.booleans()):
            options["plastic"] = draw(st.lists(st.sampled_from(owners), unique=True))
        if noisy and draw(st.integers(1, 4)) == 4:
            options["noise"] = {draw(st.sampled_from(noisy)): 0.7}
        found.append(cs.Phase(f"phase{k}", **options))
    return _with_inputs(draw, motif, _complete(motif, found))


def _complete(motif: cs.Motif, phases: list[cs.Phase]) -> list[cs.Phase]:
    """Every population that must be driven is, in one of them; no rule changes where a current it names is silent."""
    must = {p.post for p in motif.projections if p.compartment == "soma"}
    if not must <= set().union(*(driven(motif, phase) for phase in phases)):
        phases = [changed(phases[0], soma=None), *phases[1:]]
    return [changed(phase, plastic=_plastic(motif, phase)) for phase in phases]


def _plastic(motif: cs.Motif, phase: cs.Phase) -> list[str] | None:
    owners = [*(p.name for p in motif.projections), *(p.name for p in motif.populations)]
    plastic = [name for name in dict.fromkeys(owners) if changes(phase, name)]
    while True:
        wired = compartments(motif, phase)
        heard = {(p.post, f"I_{p.name}") for p in motif.projections if p.name in wired}
        deaf = {
            p.name for p in motif.projections
            if p.name in wired and p.name in plastic and any((p.post, name) not in heard for name in _currents_in(p))
        }  # fmt: skip
        if not deaf:
            return plastic
        plastic = [name for name in plastic if name not in deaf]
        phase = changed(phase, plastic=plastic)


def _currents_in(p: cs.Projection) -> set[str]:
    texts = [s.update for s in p.state.values()] + ([p.rule.expression] if p.rule is not None else [])
    return {name for text in texts for name in names_in(text) if name.startswith("I_")}


def _with_inputs(draw: Any, motif: cs.Motif, phases: list[cs.Phase]) -> list[cs.Phase]:
    """Some phases let only some inputs in, at least one lets all in."""
    whole = cs.Motif("whole")
    whole.add(*motif.values, *phases)
    inputs, open_to_all = input_names(whole), draw(st.integers(0, len(phases) - 1))
    inputs += [p.name for p in motif.populations if p.source is not None]
    return [
        phase if k == open_to_all or draw(st.booleans())
        else changed(phase, inputs=draw(st.lists(st.sampled_from(inputs), unique=True)))
        for k, phase in enumerate(phases)
    ]  # fmt: skip


def changed(phase: cs.Phase, **options: Any) -> cs.Phase:
    """The phase with other options."""
    fields = ("soma", "plastic", "inputs", "noise", "errors", "repeat", "apply")
    return cs.Phase(phase.name, **{field: getattr(phase, field) for field in fields} | options)
