"""Motifs with phases over time and with states per sample, and runs of sequences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import hypothesis.strategies as st
import numpy as np

import circuitsim as cs
from tests.oracle import names_in
from tests.oracle.wiring import input_names, judged_over_time, sequences
from tests.strategies.expressions import SEEDS, pick
from tests.strategies.rich import SYNAPSE_STATES, RichBuilder, changed, sound_phases
from tests.strategies.runs import SCHEDULES, Step, signal_of


@st.composite
def timed_motifs(draw: Any, replicas: int | None = None) -> cs.Motif:
    """A sound motif in which at least one input is a sequence, and some states are per sample."""
    builder = TimedBuilder(draw, replicas)
    builder.ascending()
    builder.objectives()
    builder.descending()
    builder.dendrites()
    builder.recurrent()
    builder.pairs()
    builder.ties()
    declared, phases = builder.motif, draw(sound_phases(builder.motif, builder.n_phases))
    over_time = [changed(phase, repeat="time") for phase in phases]
    mixed = [draw(st.sampled_from(pair)) for pair in zip(phases, over_time, strict=True)]
    for chosen in (mixed, over_time):
        motif = cs.Motif(declared.name)
        motif.add(*declared.values, *chosen)
        if sequences(motif):
            break
    return motif


class TimedBuilder(RichBuilder):
    """Draws what `RichBuilder` draws, with more states, half of them per sample."""

    def __init__(self, draw: Any, replicas: int | None) -> None:
        super().__init__(draw, replicas)
        self.n_phases = self.pick([1, 1, 2, 3])

    def states(self, names: list[str], updates: list[str]) -> dict[str, cs.State]:
        found = super().states(names, updates) or super().states(names, updates)
        given = {s.name for s in self.motif.signals if s.expression is None}
        may = {n: names is SYNAPSE_STATES or not given & names_in(state.update) for n, state in found.items()}
        return {
            n: cs.State(state.update, state.start, per_sample=may[n] and self.chance(2), **state.parameters)
            for n, state in found.items()
        }


@dataclass(frozen=True)
class TimedStep(Step):
    """One step of sequences.

    Args:
        each: whether all arrays but signals have an axis of replicas.
        size: the number of samples, and that of time steps.
    """

    each: bool
    size: tuple[int, int]

    n_samples = property(lambda self: self.size[0])
    n_times = property(lambda self: self.size[1])

    def of(self, replica: int) -> tuple[Any, Any, dict[str, Any]]:
        """What one replica is given: x, target, signals."""
        x, targets = ({n: a[replica] if self.each else a for n, a in part.items()} for part in (self.x, self.targets))
        return x, targets, self.told(replica)


@st.composite
def timed_runs(draw: Any, motif: cs.Motif, replicas: int, n_steps: int = 3) -> list[Step]:
    """Steps of sequences of different lengths; some inputs and targets hold for all time steps.

    Args:
        motif: from `timed_motifs`.
        replicas: some runs have data for each.
        n_steps: how many.
    """
    random, schedule = np.random.default_rng(draw(SEEDS)), pick(draw, SCHEDULES)
    each, as_tensors = draw(st.booleans()), draw(st.booleans())
    long, timed = sequences(motif), judged_over_time(motif)
    held = set() if each else set(draw(st.lists(st.sampled_from(long), unique=True, max_size=len(long) - 1)))
    signals = {s.name: pick(draw, ["batch", "replica", "activity"]) for s in motif.signals if s.expression is None}
    classes = {o.output for o in motif.objectives if o.loss == "cross_entropy"}
    targets_are_long = timed and (each or draw(st.booleans()))
    steps = []
    for k in range(n_steps):
        n_samples, n_times = draw(st.integers(1, 4)), draw(st.integers(1, 4))
        lead = (replicas, n_samples) if each else (n_samples,)

        def normal(name: str, is_long: bool, lead: tuple[int, ...] = lead, n_times: int = n_times) -> np.ndarray:
            axes = (*lead, n_times) if is_long else lead
            return random.normal(size=(*axes, motif.population(name).size))

        x = {name: normal(name, name in long and name not in held) for name in input_names(motif)}
        targets = {}
        for o in motif.objectives:
            values = normal(o.output, targets_are_long)
            if o.output in classes:
                values = values.argmax(-1)
                if values.shape == (values.shape[0],) * 2:  # could be one-hot vectors
                    values[0] = 0
            targets[o.output] = (values > 0).astype(float) if o.loss == "bce" else values
        told = {name: signal_of(random, motif, kind, n_samples, replicas) for name, kind in signals.items()}
        eta_scale = schedule[k % len(schedule)]
        steps.append(TimedStep(x, targets, told, eta_scale, [], as_tensors, each, (n_samples, n_times)))
    return steps
