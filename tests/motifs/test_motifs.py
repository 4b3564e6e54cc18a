"""Published circuits: valid, told apart by flags only, learning on real data."""

import numpy as np
import pytest

import circuitsim as cs
import motifs

LAYERS = [64, 24, 16, 10]
CONTROLS = ("frozen_feedback", "shuffled_error")  # of another motif
ALL = {name: getattr(motifs, name) for name in motifs.__all__ if name not in ("two_stream", *CONTROLS)}


@pytest.mark.parametrize("name", ALL)
def test_a_motif_is_valid_carries_its_name_and_cites_its_source(name):
    motif = ALL[name](LAYERS[-3:] if name == "rflo" else LAYERS)
    motif.validate()
    assert isinstance(motif, cs.Motif) and motif.name == name
    assert "Source:" in ALL[name].__doc__
    assert cs.Motif.from_json(motif.to_json()) == motif
    assert cs.Motif.from_networkx(motif.graph) == motif


UNSUPERVISED = ("bcm", "foldiak", "krotov_hopfield", "oja", "sanger", "softhebb")
SPIKING = ("stdp", "triplet_stdp", "inhibitory_stdp", "reward_stdp")
CLASSIFIERS = [name for name in ALL if name not in ("reward_modulated", "rflo", "spiking_sal", *UNSUPERVISED, *SPIKING)]


@pytest.mark.parametrize("name", SPIKING)
def test_a_rule_on_spikes_is_refused_by_a_circuit_of_rates(name):
    motif = ALL[name](LAYERS)
    with pytest.raises(cs.MotifError, match="a rate circuit has no spikes; export the motif"):
        cs.compile(motif, device="cpu")


SLOWER = ("direct_feedback_alignment", "feedback_alignment", "node_perturbation")  # the others need fewer epochs


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_motif_learns_digits_with_its_shipped_defaults(name):
    data = cs.load_dataset("digits")
    circuit = cs.compile(ALL[name]([64, 32, 32, 10]), replicas=2, device="cpu")
    epochs = 40 if name in SLOWER else 15
    history = cs.fit(circuit, data, epochs=epochs, batch_size=64, schedule="cosine", progress=False)
    assert history.runaways == []
    assert np.isfinite(history.to_pandas().value).all()
    assert (history.final("accuracy", "validation") > 0.75).all()  # ten classes


def test_table_2_is_the_same_circuit_with_other_flags():
    """SGD, FA and KP have SAL's populations, projections and compartments; plasticity and ties differ."""
    reference = motifs.paper_sal(LAYERS)
    wiring = {(p.name, p.pre, p.post, p.compartment) for p in reference.projections}
    plastic = {}
    for name in ("backprop", "feedback_alignment", "kolen_pollack", "sal"):
        motif = ALL[name](LAYERS)
        assert {(p.name, p.pre, p.post, p.compartment) for p in motif.projections} == wiring
        plastic[name] = {p.name.rstrip("0123456789") for p in motif.projections if p.is_plastic}
    assert plastic == {
        "backprop": {"W"}, "feedback_alignment": {"W"}, "kolen_pollack": {"W", "Wt"}, "sal": {"W", "Wt", "V", "Vt"},
    }  # fmt: skip
    assert motifs.backprop(LAYERS).projection("Wt1").tied_to == cs.Derived("W1", transpose=True)


@pytest.mark.parametrize(
    "options",
    [
        {"gated": False}, {"decay": "plain"}, {"regularizer": "l1"}, {"regularizer": "homeostatic"}, {"trace": None},
        {"descending": "relu"}, {"descending": "tanh"}, {"descending": "jacobian"}, {"output_pathway": "plastic"},
        {"bias": True}, {"loss": "mse"}, {"loss": "bce"}, {"feedback": [30, 9]}, {"activation": "tanh"},
    ],
    ids=str,
)  # fmt: skip
def test_every_option_of_sal_makes_a_valid_motif_that_runs(options):
    motif = motifs.paper_sal(LAYERS, **{"eta": 0.05, **options})
    circuit = cs.compile(motif, device="cpu")
    rng = np.random.default_rng(0)
    target = rng.integers(0, 10, 32)
    if motif.objectives[0].loss != "cross_entropy":
        target = np.eye(10)[target]
    for _ in range(10):
        loss = circuit.step(rng.standard_normal((32, 64)), target).loss
    assert np.isfinite(loss.item())


def test_unknown_options_and_sizes_that_do_not_fit_are_refused_by_name():
    with pytest.raises(cs.MotifError, match="regularizer must be one of .* \\(got 'l3'\\)"):
        motifs.paper_sal(LAYERS, regularizer="l3")
    with pytest.raises(cs.MotifError, match="feedback needs one size for each of the 2 hidden layers"):
        motifs.paper_sal(LAYERS, feedback=[3])
    with pytest.raises(cs.MotifError, match="gated by 'up1' of size 24"):
        motifs.paper_sal(LAYERS, feedback=[30, 16], descending="jacobian").validate()


def test_the_scale_of_descending_activities_does_not_matter_to_the_rules_of_the_normalised_form():
    def learned(scale):
        motif = motifs.spiking_sal([6, 5, 3], form="normalised", gain_V=0.5, tau=50, gain_Wt=0.01 / scale, scale=scale)
        circuit = cs.compile(motif, seed=0, device="cpu", dtype="float64")
        rng = np.random.default_rng(0)
        for _ in range(20):
            circuit.step(rng.random((16, 6)), np.eye(3)[rng.integers(0, 3, 16)])
        return {p.name: circuit.weights(p.name)[0].to_dense().numpy() for p in motif.projections}

    small, large = learned(1.0), learned(0.01)
    for name, weights in small.items():
        factor = 100 if name == "Wt1" else 1
        np.testing.assert_allclose(large[name], factor * weights, rtol=1e-9)
