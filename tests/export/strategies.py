"""Motifs with all that a rate network has to say: phases, states, signals, gates that close over a division by 0.

A comparison stands away from the values where rounding could decide, and what it lets through is not close to 0 where
it is divided by.
"""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np

import circuitsim as cs
from circuitsim.motif.expressions import reads_drive
from circuitsim.plan import build_plans
from tests.strategies import SEEDS, batches, motifs, phases

# Of rules and of states of synapses.
GATED = [
    "(pre > 0.0531) * post / pre",
    "(abs(post) > 0.0317) * pre / post",
    "(pre > 0.0531) * (abs(post) > 0.0317) / (pre * post)",
    "w * (abs(w) > 0.0713) / w**2 * post",
    "(pre > 0.0531) * tanh(post * w) / pre",
    "(pre > 0.0531) ** 2 * (post + (w > 0.0093) / w)",
    "slope_post * (pre > 0.0531) * post / pre",
    "slope_post * (abs(post) > 0.0317) / post",
    "(pre == 0) * (post - w)",
    "(0.0531 < pre) * sum_in((pre > 0.0531) * w / pre)",
    "(pre > 0.0531) * max_out(post * (abs(post) > 0.0317) / post**2) / pre",
    "sum_out((abs(post) > 0.0317) * w / post)",
    "where(pre > 0.0531, post / pre, w)",
    "where((pre > 0.0531) * (abs(post) > 0.0317), w / (pre * post), exp(pre))",
    "(eta > 0.0013) * (pre > 0.0531) / pre",
    "(eta < 0.0013) * post / (pre - pre**2)",
]
# Of populations that nothing but noise drives in some phase the plan knows that the drive is 0, and refuses a division.
OF_DRIVEN = ["(drive_post > 0.0417) * pre / drive_post"]
ACTIVATIONS_OF_DRIVEN = [
    "(drive > 0.0531) * (drive + 0.1 / drive)",
    "where(drive > 0.0317, 0.2 / drive + drive, 0.1 * drive)",
]
ACTIVATIONS = [
    "relu(drive)",
    "clip(drive, 0, 1.7)",
    "drive",
]
OF_STATE = ["tanh(drive - {0})", "relu(drive) * {0}", "drive + 0.1 * {0}"]
TRACES = ["activity - 0.2 * {0}", "activity + 0.3 * mean({0} * slope)"]
NEURON_UPDATES = [
    "0.9 * {0} + 0.1 * activity",
    "{0} + rate * mean(activity - {0})",
    "0.5 * {0} + rate * slope * tanh(drive)",
    "0.7 * {0} + rate * (activity > 0.0531) * {0} / activity",
    "1.5",
]
SYNAPSE_UPDATES = [
    "0.9 * trail + rate * post * pre",
    "0.5 * trail + rate * ({gated})",
    "0.7 * trail + rate * sum_in(w * pre)",
    "w",
    "0.25",
]


@st.composite
def whole_motifs(draw: Any) -> cs.Motif:
    """A motif of two replicas, with more in it than `motifs` draws."""

    def chance(one_in: int) -> bool:
        return draw(st.integers(1, one_in)) == one_in

    motif = draw(motifs(replicas=2))
    if not chance(3):
        motif.add(*draw(phases(motif)))
    signals = ["reward", "tone"][: draw(st.integers(0, 2))]
    motif.add(*map(cs.Signal, signals))
    errors = {o.error for o in motif.objectives}
    silent = {name for phase in motif.phases for name in phase.noise}
    silent |= {p.name for p in motif.populations if not reads_drive(motif, p)}
    for p in motif.populations:
        changes: dict[str, Any] = {}
        state = draw(st.sampled_from(["level", "slow"]))
        if chance(3):
            update = draw(st.sampled_from(NEURON_UPDATES)).format(state) + "".join(f" + 0.05 * {s}" for s in signals)
            parameters = {"rate": 0.13} if "rate" in update else {}
            changes["state"] = {state: cs.State(update, start=draw(st.sampled_from([0.0, 0.8])), **parameters)}
        if isinstance(p.activation, str) and p.activation in ("linear", "relu", "tanh") and chance(2):
            pool = ACTIVATIONS + ([] if p.name in silent else ACTIVATIONS_OF_DRIVEN)
            pool += OF_STATE * 2 if changes and p.name not in errors and p.name[0] != "x" else []
            changes["activation"] = draw(st.sampled_from(pool)).format(state)
        if "state" in changes and chance(3):
            changes["trace"] = draw(st.sampled_from(TRACES)).format(state)
        motif = motif.replace(p.name, **changes) if changes else motif
    for q in motif.projections:
        if q.rule is None or q.tied_to is not None or not chance(2):
            continue
        changes, names = {}, list(signals)
        for end, population in (("pre", q.pre), ("post", q.post)):
            names += [f"{state}_{end}" for state in motif.population(population).state]
        gated = st.sampled_from(GATED + ([] if q.post in silent else OF_DRIVEN))
        if chance(3):
            update = draw(st.sampled_from(SYNAPSE_UPDATES)).format(gated=draw(gated).replace("eta", "rate"))
            parameters = {"rate": 0.11} if "rate" in update else {}
            changes["state"] = {"trail": cs.State(update, start=draw(st.sampled_from([0.0, 0.3])), **parameters)}
            names.append("trail")
        terms = [draw(gated) for _ in range(draw(st.integers(1, 2)))]
        terms += [f"{draw(st.sampled_from(names))} * pre"] if names else []
        changes["rule"] = cs.Rule(f"eta * ({' + '.join(terms)} - 0.1 * w)", eta=0.01)
        motif = motif.replace(q.name, **changes)
    motif.validate()
    return motif


@st.composite
def runs(draw: Any, motif: cs.Motif) -> list[tuple[Any, Any, dict[str, np.ndarray]]]:
    """Two or three batches with their signals."""
    found, inputs = [], dict.fromkeys(name for plan in build_plans(motif) for name in plan.inputs)
    for _ in range(draw(st.integers(2, 3))):
        n_samples, random = draw(st.integers(1, 4)), np.random.default_rng(draw(SEEDS))
        _, target = draw(batches(motif, n_samples))
        x = {name: random.normal(size=(n_samples, motif.population(name).size)) for name in inputs}
        found.append((x, target, {signal.name: random.normal(size=n_samples) for signal in motif.signals}))
    return found
