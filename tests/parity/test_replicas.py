"""Replica r of seed s is the solo circuit of seed s + r."""

import numpy as np
import pytest
import torch

import circuitsim as cs
from motifs import backprop, paper_sal

LAYERS = [9, 8, 6, 4]


def sparse(motif: cs.Motif) -> cs.Motif:
    motif = motif.replace("W1", connectivity=cs.Random(0.6)).replace("V1", connectivity=cs.Random(0.5))
    return motif.replace("Vt1", connectivity=cs.ReciprocalOf("V1"))


@pytest.mark.parametrize(
    "motif", [paper_sal(LAYERS, [7, 12]), sparse(paper_sal(LAYERS)), backprop(LAYERS)], ids=lambda m: m.name
)
def test_each_replica_equals_the_solo_circuit_of_its_seed(motif):
    together = cs.compile(motif, replicas=3, seed=10, dtype="float64", device="cpu")
    alone = [cs.compile(motif, seed=10 + r, dtype="float64", device="cpu") for r in range(3)]
    for p in motif.projections:
        for r in range(3):
            assert torch.equal(together.weights(p.name)[r], alone[r].weights(p.name)[0])
            assert torch.equal(together.mask(p.name)[r], alone[r].mask(p.name)[0])
    rng = np.random.default_rng(0)
    for _ in range(50):
        x, target = rng.standard_normal((12, 9)), rng.integers(0, 4, 12)
        loss = together.step(x, target).loss
        assert torch.isfinite(loss).all()
        for r in range(3):
            torch.testing.assert_close(alone[r].step(x, target).loss[0], loss[r], rtol=0, atol=1e-10)
    for p in motif.projections:
        for r in range(3):
            torch.testing.assert_close(together.weights(p.name)[r], alone[r].weights(p.name)[0], rtol=0, atol=1e-10)
    assert not torch.equal(together.weights("W0")[0], together.weights("W0")[1])


def test_replicas_may_see_data_of_their_own():
    motif = paper_sal(LAYERS)
    together = cs.compile(motif, replicas=2, seed=3, dtype="float64", device="cpu")
    alone = [cs.compile(motif, seed=3 + r, dtype="float64", device="cpu") for r in range(2)]
    rng = np.random.default_rng(0)
    for _ in range(10):
        x, target = rng.standard_normal((2, 12, 9)), rng.integers(0, 4, (2, 12))
        together.step(x, target)
        for r in range(2):
            alone[r].step(x[r], target[r])
    for p in motif.projections:
        for r in range(2):
            torch.testing.assert_close(together.weights(p.name)[r], alone[r].weights(p.name)[0], rtol=0, atol=1e-10)


def test_varied_rates_and_gains_belong_to_their_replica():
    rates, gains = [0.05, 0.2, 0.3], [0.5, 1.0, 1.5]
    together = cs.compile(
        paper_sal(LAYERS),
        replicas=3,
        seed=0,
        dtype="float64",
        device="cpu",
        vary={"W0.eta": rates, "W1.init.gain": gains},
    )
    assert together.parameters("W0")["eta"].tolist() == rates
    rng = np.random.default_rng(0)
    batches = [(rng.standard_normal((12, 9)), rng.integers(0, 4, 12)) for _ in range(20)]
    for x, target in batches:
        together.step(x, target)
    for r in range(3):
        base = paper_sal(LAYERS)
        rule = base.projection("W0").rule
        motif = base.replace("W0", rule=cs.Rule(rule.expression, **{**rule.parameters, "eta": rates[r]}))
        alone = cs.compile(motif.replace("W1", init=cs.Gaussian(gains[r])), seed=r, dtype="float64", device="cpu")
        for x, target in batches:
            alone.step(x, target)
        for p in motif.projections:
            torch.testing.assert_close(together.weights(p.name)[r], alone.weights(p.name)[0], rtol=0, atol=1e-10)


def test_adding_a_projection_changes_no_other_draws():
    motif = paper_sal(LAYERS)
    before = cs.compile(motif, seed=1, device="cpu")
    motif.connect("up0", "up2", name="skip", init=cs.Gaussian())
    after = cs.compile(motif, seed=1, device="cpu")
    for name in ("W0", "W1", "V1", "Wt2"):
        assert torch.equal(before.weights(name), after.weights(name))


def test_two_runs_agree_bit_for_bit():
    def run() -> dict[str, torch.Tensor]:
        circuit = cs.compile(paper_sal(LAYERS), replicas=2, seed=1, device="cpu")
        rng = np.random.default_rng(0)
        for _ in range(30):
            circuit.step(rng.standard_normal((12, 9)).astype("float32"), rng.integers(0, 4, 12))
        return {p.name: circuit.weights(p.name) for p in circuit.motif.projections}

    one, two = run(), run()
    assert all(torch.equal(one[name], two[name]) for name in one)


def noisy() -> cs.Motif:
    motif = sparse(paper_sal(LAYERS))
    motif.add(cs.Phase("learn", noise={"up1": 0.3}))
    return motif


def test_replicas_may_have_seeds_of_their_own(tmp_path):
    """So that the settings of a sweep are paired by seed. Connectivity, weights and noise follow."""
    seeds, gains = [4, 4, 0, 7], [1.0, 0.5, 1.0, 1.0]
    options = {"dtype": "float64", "device": "cpu"}
    together = cs.compile(noisy(), seeds=seeds, vary={"W0.init.gain": gains}, **options)
    assert together.seeds == tuple(seeds) and together.n_replicas == 4
    assert "4 replicas, seeds [4, 4, 0, 7]" in repr(together)
    alone = [
        cs.compile(noisy(), seed=s, vary={"W0.init.gain": [g]}, **options) for s, g in zip(seeds, gains, strict=True)
    ]
    for p in together.motif.projections:
        for r, solo in enumerate(alone):
            assert torch.equal(together.weights(p.name)[r], solo.weights(p.name)[0])
    assert torch.equal(together.weights("W0")[0], 2 * together.weights("W0")[1])
    rng = np.random.default_rng(0)
    for k in range(6):
        if k == 3:
            together.save(tmp_path / "c.safetensors")
            together = cs.load_circuit(tmp_path / "c.safetensors")
            assert together.seeds == tuple(seeds)
        x, target = rng.standard_normal((5, 9)), rng.integers(0, 4, 5)
        loss = together.step(x, target).loss
        for r, solo in enumerate(alone):
            torch.testing.assert_close(solo.step(x, target).loss[0], loss[r], rtol=0, atol=1e-12)
    assert len(set(loss.tolist())) == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seeds": [0, 1], "seed": 3}, r"give seed or seeds, not both \(got seed=3 and seeds=\[0, 1\]\)"),
        ({"seeds": [0, 1], "replicas": 3}, "seeds has 2 seeds, one for each replica, but replicas is 3"),
        ({"seeds": []}, r"seeds must be a list with a seed for each replica \(got \[\]\)"),
        ({"seeds": 3}, r"seeds must be a list with a seed for each replica \(got 3\)"),
        ({"seeds": [0, -1]}, r"seeds\[1\] must be a whole number, 0 or more \(got -1\)"),
    ],
)
def test_seeds_that_make_no_sense_are_refused(options, message):
    with pytest.raises(cs.ParameterError, match=message):
        cs.compile(paper_sal(LAYERS), **options)


def test_consecutive_seeds_are_the_short_form():
    assert repr(cs.compile(paper_sal(LAYERS), seeds=[5, 6], device="cpu")) == repr(
        cs.compile(paper_sal(LAYERS), seed=5, replicas=2, device="cpu")
    )
