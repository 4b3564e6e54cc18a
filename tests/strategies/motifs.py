"""Sound motifs of a few small populations, in one phase."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np

import circuitsim as cs
from tests.strategies.expressions import (
    ACTIVATIONS,
    CONSTANT,
    GATED,
    LATERAL,
    LATERAL_GATED,
    PARAMETERS,
    SEEDS,
    SIZES,
    TRACES,
    expressions,
    pick,
    whole,
)


@st.composite
def motifs(draw: Any, replicas: int | None = None) -> cs.Motif:
    """A sound motif of a few small populations.

    Args:
        replicas: also draw parameters and weights that differ between that many replicas.
    """
    builder = Builder(draw, replicas)
    builder.ascending()
    builder.objectives()
    builder.label()
    builder.descending()
    builder.dendrites()
    builder.ties()
    return builder.finish()


class Builder:
    """Draws a motif, one population after the other, each driven by earlier ones: so there is no cycle."""

    def __init__(self, draw: Any, replicas: int | None) -> None:
        self.draw, self.replicas = draw, replicas
        self.random = np.random.default_rng(draw(SEEDS))
        self.motif = cs.Motif(draw(st.sampled_from(["motif", "two_stream", "γ circuit"])))
        self.sizes = SIZES
        self.open: list[tuple[str, str, str, str]] = []  # projections to be: name, pre, post, compartment

    def chance(self, one_in: int) -> bool:
        return self.draw(whole(one_in - 1)) == one_in - 1

    def pick(self, values: Any) -> Any:
        return pick(self.draw, list(values))

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

    def label(self) -> None:
        """Now and then a population that a target drives, and that drives those to come."""
        outputs = dict.fromkeys(o.output for o in self.motif.objectives)
        if outputs and self.chance(3):
            output, stream = self.pick(outputs), self.pick(["ascending", "descending"])
            source = f"target:{output}" if len(outputs) > 1 or self.chance(2) else "target"
            activation = self.pick(["linear", "linear", *LATERAL])
            self.motif.add(cs.Population("label", self.size(output), stream, activation, source=source))

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
        self.open += [(self.projection_name(name, k), pre, name, "soma") for k, pre in enumerate(sources)]

    def projection_name(self, post: str, k: int) -> str:
        return f"W_{post}_{k}"

    def add(self, name: str, stream: str, size: int | None = None, activation: Any = None) -> None:
        earlier = list(self.motif.populations)
        size = size or self.draw(self.sizes)
        if earlier and (self.chance(3) or activation == "0.2 + activity_{0}"):
            gate = self.pick(earlier)
            size, gated = (gate.size, True) if not name.startswith("error") else (size, gate.size == size)
            if gated:
                activation = self.gated(gate.name) if activation is None else activation.format(gate.name)
        activation = activation or self.pick(LATERAL if self.chance(4) else ACTIVATIONS)
        trace = self.pick(TRACES) if self.chance(3) else None
        self.motif.add(self.population(name, size, stream, activation, trace))

    def population(self, name: str, size: int, stream: str, activation: Any, trace: str | None) -> cs.Population:
        return cs.Population(name, size, stream, activation, trace)

    def gated(self, gate: str) -> Any:
        return cs.GatedBy(gate) if self.chance(2) else self.pick(GATED + LATERAL_GATED).format(gate)

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
        for name, pre, post, compartment in self.open:
            bounds = self.pick([(-0.4, 0.6), (0.0, None), (None, 0.3)]) if self.chance(4) else None
            options: dict[str, Any] = {"compartment": compartment, "plastic": not self.chance(6)}
            options["delay"] = self.delay(name)
            options |= {"label": f"{name} of {post}"} if self.chance(4) else {}
            if name in tied:
                options["tied_to"] = tied[name]
            else:
                shape = self.size(post), self.size(pre)
                connectivity = self.connectivity(name, pre, post, tied, reciprocal)
                options |= {"connectivity": connectivity, "bounds": bounds, "state": self.synapse_states(name)}
                options |= {
                    "init": self.init(shape, connectivity, bounds),
                    "rule": None if self.chance(6) else self.rule(name, post, shape),
                }
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
                pre, post = self.random.integers(shape[1], size=n), self.random.integers(shape[0], size=n)
                return cs.Edges(pre=pre, post=post, repeated="sum")
            case "Mask":
                return cs.Mask(self.random.random(shape) < 0.6)
            case "ReciprocalOf":
                reciprocal.add(name)
                return cs.ReciprocalOf(self.pick(partners))
        return cs.All()

    def init(self, shape: tuple[int, int], connectivity: Any, bounds: Any) -> Any:
        choices = [
            None,
            cs.Gaussian(gain=0.7),
            cs.Gaussian(gain=0.4, scaling="fan_out"),
            cs.Uniform(-0.5, 0.3),
        ]
        if bounds is None or not isinstance(connectivity, cs.Edges):  # whose sums might lie outside the bounds
            choices.append(cs.Constant(0.2719))
        if shape[0] == shape[1] and (bounds is None or bounds[1] is None):
            choices.append(cs.Identity())
        if isinstance(connectivity, cs.All | cs.Mask | cs.Edges | cs.OneToOne):  # it is known which synapses exist
            choices.append(self.given(shape, connectivity, bounds))
            if self.replicas is not None:
                choices.append(self.given((self.replicas, *shape), connectivity, bounds))
        return self.pick(choices)

    def given(self, shape: tuple[int, ...], connectivity: Any, bounds: Any) -> cs.Given:
        low, high = bounds or (None, None)
        weights = self.random.normal(size=shape, scale=0.5)
        weights = np.clip(weights, -np.inf if low is None else low, np.inf if high is None else high)
        match connectivity:
            case cs.Mask(array=array):
                weights = weights * (array != 0)
            case cs.Edges() as edges:
                weights = weights * edges.mask(*shape[-2:])
            case cs.OneToOne():
                weights = weights * np.eye(shape[-1])
        return cs.Given(weights)

    def delay(self, name: str) -> int:
        return 0

    def synapse_states(self, name: str) -> dict[str, Any]:
        return {}

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
