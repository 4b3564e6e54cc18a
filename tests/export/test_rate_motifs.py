"""Every published circuit takes the same steps in Brian2."""

import numpy as np
import pytest

import circuitsim as cs
import motifs
from circuitsim.export import export_brian2
from motifs import paper_sal
from tests.export.sameness import assert_same_step, assert_same_weights, compiled, difference

pytest.importorskip("brian2")

LAYERS = [6, 5, 4, 3]
SAL = {
    "as declared": {},
    "wide": {"feedback": [8, 3], "bias": True},
    "ungated, plain decay": {"gated": False, "decay": "plain"},
    "activity as trace": {"trace": None},
    "own trace": {"trace": "tanh(activity) - 0.5 * mean(abs(activity - mean(activity)))"},
    "l1": {"regularizer": "l1", "gamma": 0.05},
    "homeostatic": {"regularizer": "homeostatic", "gamma": 0.05, "feedback": [8, 3]},
    "homeostatic, plain decay": {"regularizer": "homeostatic", "decay": "plain", "gamma": 0.05},
    "jacobian": {"descending": "jacobian"},
    "relu": {"descending": "relu", "activation": "tanh"},
    "tanh": {"descending": "tanh", "gated": False},
    "plastic output": {"output_pathway": "plastic"},
    "shuffled": {"shuffled": True},
    "squared error": {"loss": "mse"},
    "labels": {"loss": "bce", "shuffled": True, "trace": None},
}
OTHERS = {
    "apical_sal": lambda: motifs.apical_sal(LAYERS, feedback=[7] * (len(LAYERS) - 2)),
    "backprop": lambda: motifs.backprop(LAYERS, eta=0.3, gamma=0.01, bias=True),
    "bcm": lambda: motifs.bcm(LAYERS, eta=0.1),
    "burst_dependent": lambda: motifs.burst_dependent(LAYERS),
    "counter_streams": lambda: motifs.counter_streams(LAYERS),
    "difference_target_propagation": lambda: motifs.difference_target_propagation(LAYERS),
    "direct_feedback_alignment": lambda: motifs.direct_feedback_alignment(LAYERS, eta=0.3),
    "direct_kolen_pollack": lambda: motifs.direct_kolen_pollack(LAYERS, eta=0.3, gamma=0.01),
    "feedback_alignment": lambda: motifs.feedback_alignment(LAYERS, eta=0.3, gamma=0.01),
    "kolen_pollack": lambda: motifs.kolen_pollack(LAYERS, eta=0.3, gamma=0.01, activation="tanh"),
    "krotov_hopfield": lambda: motifs.krotov_hopfield(LAYERS),
    "linear": lambda: motifs.linear(LAYERS),
    "sal": lambda: motifs.sal(LAYERS, feedback=[7] * (len(LAYERS) - 2), tau=20.0, bias=True),
    "node_perturbation": lambda: motifs.node_perturbation(LAYERS),
    "oja": lambda: motifs.oja(LAYERS),
    "pepita": lambda: motifs.pepita(LAYERS),
    "phaseless_alignment": lambda: motifs.phaseless_alignment(LAYERS),
    "reward_modulated": lambda: motifs.reward_modulated(LAYERS),
    "sanger": lambda: motifs.sanger(LAYERS),
    "sign_symmetry": lambda: motifs.sign_symmetry(LAYERS, eta=0.3),
    "softhebb": lambda: motifs.softhebb(LAYERS),
    "spiking_sal": lambda: motifs.spiking_sal(LAYERS, loss="cross_entropy"),
    "weight_mirror": lambda: motifs.weight_mirror(LAYERS, eta=0.3, gamma=0.01, noise=0.8),
    "winner_take_all": lambda: motifs.winner_take_all(LAYERS),
}
# circuits with iterations, or with changes after the last phase, which Brian2 exports refuse
SETTLING = {
    "contrastive_hebbian", "deep_feedback_control", "dendritic_microcircuit", "equilibrium_propagation", "foldiak",
    "incremental_predictive_coding", "predictive_coding", "rflo",
}  # fmt: skip
REFUSED = dict.fromkeys(SETTLING, "repeats") | {"forward_forward": "applies changes at the end of the step"}
SPIKING = {"stdp", "triplet_stdp", "inhibitory_stdp", "reward_stdp"}
# what others are made of, controls, and what has no rates
NOT_HERE = {"two_stream", "frozen_feedback", "shuffled_error"} | REFUSED.keys() | SPIKING
CIRCUITS = {
    f"paper_sal: {name}": lambda options=options: paper_sal(LAYERS, **options) for name, options in SAL.items()
} | OTHERS


def batch(rng: np.random.Generator, motif: cs.Motif, n: int = 5):
    """Inputs, targets and signals that fit."""
    targets = {
        "cross_entropy": lambda: rng.integers(0, LAYERS[-1], n),
        "mse": lambda: rng.standard_normal((n, LAYERS[-1])),
        "bce": lambda: rng.integers(0, 2, (n, LAYERS[-1])).astype(float),
    }
    x = rng.standard_normal((n, LAYERS[0]))
    target = targets[motif.objectives[0].loss]() if motif.objectives else None
    return x, target, {signal.name: rng.standard_normal(n) for signal in motif.signals if signal.is_given}


def test_every_published_circuit_is_here():
    published = {name for name in dir(motifs) if callable(getattr(motifs, name))}
    assert published - NOT_HERE == {"paper_sal", *OTHERS}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_one_pass_for_each_phase_cannot_do_is_refused_with_the_reason(name):
    motif = getattr(motifs, name)([6, 5, 3])
    with pytest.raises(cs.CircuitError, match=f"'{name}' cannot be exported to Brian2: phase '.*' {REFUSED[name]}"):
        export_brian2(compiled(motif))


@pytest.mark.parametrize("name", CIRCUITS)
def test_one_step_from_the_same_state_is_the_same_step(name):
    circuit = compiled(CIRCUITS[name]())
    rng = np.random.default_rng(0)
    net = export_brian2(circuit)
    for _ in range(2 if name in ("bcm", "reward_modulated", "softhebb") else 1):  # with state
        assert_same_step(net, circuit, *batch(rng, circuit.motif))


@pytest.mark.parametrize("name", ["paper_sal: wide", "weight_mirror"])
def test_two_hundred_steps_stay_together(name):
    circuit = compiled(CIRCUITS[name]())
    net = export_brian2(circuit)
    rng = np.random.default_rng(1)
    batches = [batch(rng, circuit.motif, n=2 + k % 2) for k in range(200)]
    start = {p.name: net.weights(p.name) for p in circuit.plan.plastic()}
    losses = net.run(batches)
    assert difference(losses, [circuit.step(*b).loss.item() for b in batches], "losses") <= 1e-9
    assert_same_weights(net, circuit, 1e-9)
    assert all(np.abs(net.weights(name) - weights).max() > 1e-2 for name, weights in start.items())
