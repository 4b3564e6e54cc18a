"""States, signals, noise and phases against hand-written NumPy loops."""

import numpy as np
import pytest
import torch

import circuitsim as cs
from circuitsim.engine.draws import generator
from motifs import bcm, direct_feedback_alignment, linear, reward_modulated, sign_symmetry, weight_mirror
from motifs.winner_take_all import winner_take_all
from tests.parity.reference import ascend, softmax_error

LAYERS = [7, 6, 5, 4]


def weights(circuit: cs.Circuit, name: str, replica: int = 0) -> np.ndarray:
    return circuit.weights(name)[replica].numpy()


def batches(n_steps: int, n: int = 12, seed: int = 0):
    rng = np.random.default_rng(seed)
    return [(rng.standard_normal((n, LAYERS[0])), rng.integers(0, LAYERS[-1], n)) for _ in range(n_steps)]


def test_bcm_is_its_equations_and_its_threshold_slides():
    circuit = cs.compile(bcm([7, 4], eta=0.01, tau=5.0), replicas=2, seed=1, dtype="float64", device="cpu")
    w = [weights(circuit, "W", r) for r in range(2)]
    theta = [np.ones(4) for _ in range(2)]
    for x, _ in batches(40):
        circuit.step(x)
        for r in range(2):
            y = np.maximum(x @ w[r].T, 0)
            w[r] = w[r] + 0.01 * (y * (y - theta[r])).T @ x / len(x)
            theta[r] = theta[r] + ((y**2).mean(0) - theta[r]) / 5.0
    for r in range(2):
        assert np.isfinite(w[r]).all()
        np.testing.assert_allclose(weights(circuit, "W", r), w[r], rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(circuit.state("output", "theta")[r].numpy(), theta[r], rtol=1e-11)
        assert np.abs(theta[r] - 1).max() > 0.1


def test_an_eligibility_per_synapse_with_a_reward_that_depends_on_the_output():
    motif = cs.Motif("eligibility")
    motif.add(cs.Population("x", 5), cs.Population("y", 3, activation="tanh"), cs.Signal("reward"))
    motif.connect(
        "x", "y", name="W", rule=cs.Rule("eta * reward * e", eta=0.2),
        state={"e": cs.State("decay * e + post * pre", decay=0.7)},
    )  # fmt: skip
    circuit = cs.compile(motif, replicas=2, dtype="float64", device="cpu")
    w, e = [weights(circuit, "W", r) for r in range(2)], [np.zeros((3, 5)) for _ in range(2)]
    rng = np.random.default_rng(0)
    for _ in range(30):
        x = rng.standard_normal((9, 5))
        circuit.step(x, signals={"reward": lambda c: c.activity("y").sum(-1)})
        for r in range(2):
            y = np.tanh(x @ w[r].T)
            reward = y.sum(1).mean()
            w[r], e[r] = w[r] + 0.2 * reward * e[r], 0.7 * e[r] + y.T @ x / 9
    for r in range(2):
        assert np.isfinite(w[r]).all() and np.abs(e[r]).max() > 0.1
        np.testing.assert_allclose(weights(circuit, "W", r), w[r], rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(circuit.state("W", "e")[r].numpy(), e[r], rtol=1e-10, atol=1e-12)


def test_signals_that_do_not_fit_are_refused_before_anything_changes():
    circuit = cs.compile(reward_modulated([7, 4]), dtype="float64", device="cpu")
    x = np.zeros((3, 7))
    for signals, message in (
        (None, r"signals are given for \[\], needed for \['reward'\]"),
        ({"rewrad": np.zeros(3)}, "needed for"),
        ({"reward": np.zeros(4)}, r"signal 'reward' has shape \[4\], needs \[3\]"),
    ):
        with pytest.raises(cs.DataError, match=message):
            circuit.step(x, signals=signals)
    assert circuit.n_steps == 0


@pytest.mark.parametrize("phases", [[cs.Phase("p"), cs.Phase("q")], [cs.Phase("p", repeat=3, apply="iteration")]])
def test_a_signal_that_fails_in_a_later_phase_or_iteration_changes_nothing(phases):
    motif = cs.Motif("rewarded")
    motif.add(cs.Population("x", 3), cs.Population("y", 4), cs.Signal("r"), *phases)
    motif.connect("x", "y", name="W", rule="0.1 * pre * post * r")
    circuit, calls = cs.compile(motif, dtype="float64", device="cpu"), []

    def reward(_):
        calls.append(None)
        return torch.ones(2 if len(calls) % 2 else 3)

    before = circuit.weights("W").clone()
    with pytest.raises(cs.DataError, match=r"signal 'r' has shape \[3\], needs \[2\]"):
        circuit.step(np.ones((2, 3)), signals={"r": reward})
    assert len(calls) == 2 and circuit.n_steps == 0
    assert torch.equal(circuit.weights("W"), before)
    circuit.step(np.ones((2, 3)), signals={"r": torch.ones(2)})
    assert (circuit.weights("W") - before).abs().max() > 1e-3


def test_weight_mirror_is_its_phases_with_the_noise_of_its_key():
    eta, eta_mirror, gamma_mirror, noise = 0.1, 0.2, 0.4, 0.8
    motif = weight_mirror(LAYERS, eta=eta, gamma=0.0, eta_mirror=eta_mirror, gamma_mirror=gamma_mirror, noise=noise)
    circuit = cs.compile(motif, replicas=2, seed=5, dtype="float64", device="cpu")
    for r in range(2):
        W, Wt = [weights(circuit, f"W{k}", r) for k in range(3)], {k: weights(circuit, f"Wt{k}", r) for k in (1, 2)}
        if r == 0:
            states = []
        states.append((W, Wt))
    for step, (x, target) in enumerate(batches(20)):
        circuit.step(x, target)
        for r, (W, Wt) in enumerate(states):
            h, p = ascend(W, x)
            g = {3: softmax_error(h[-1], target)[0]}
            for k in (2, 1):
                g[k] = (g[k + 1] @ Wt[k].T) * (p[k - 1] > 0)
            for k in range(3):
                W[k] = W[k] + eta * g[k + 1].T @ h[k] / len(x)
            for k in (1, 2):
                xi = noise * generator(5 + r, f"up{k}", f"noise/mirror{k}/{step}").standard_normal((12, LAYERS[k]))
                response = xi @ W[k].T
                response = np.maximum(response, 0) if k < 2 else response
                Wt[k] = Wt[k] + eta_mirror * (xi.T @ response / len(x) - gamma_mirror * Wt[k])
    for r, (W, Wt) in enumerate(states):
        for k in range(3):
            assert np.isfinite(W[k]).all()
            np.testing.assert_allclose(weights(circuit, f"W{k}", r), W[k], rtol=1e-10, atol=1e-12)
        for k in (1, 2):
            np.testing.assert_allclose(weights(circuit, f"Wt{k}", r), Wt[k], rtol=1e-10, atol=1e-12)


def test_mirrored_feedback_turns_towards_the_forward_weights():
    circuit = cs.compile(weight_mirror(LAYERS, eta=0.0, eta_mirror=0.05), replicas=3, dtype="float64", device="cpu")

    def cosines() -> torch.Tensor:
        W, Wt = circuit.weights("W1").flatten(1), circuit.weights("Wt1").transpose(1, 2).flatten(1)
        return torch.nn.functional.cosine_similarity(W, Wt)

    before = cosines()
    for x, target in batches(400, n=64):
        circuit.step(x, target)
    assert (before.abs() < 0.6).all() and (cosines() > 0.9).all()


def test_reward_modulated_learning_is_its_rule_with_the_noise_of_its_key():
    eta, tau, noise = 0.3, 4.0, 0.5
    circuit = cs.compile(
        reward_modulated([7, 5, 4], eta=eta, tau=tau, noise=noise), seed=3, dtype="float64", device="cpu"
    )
    W, baseline = [weights(circuit, "W0"), weights(circuit, "W1")], 0.0
    for step, (x, target) in enumerate(batches(30)):

        def reward(c, target=target):
            return (c.activity("up2").argmax(-1).numpy() == target).astype(float)

        circuit.step(x, signals={"reward": reward})
        xi = [
            noise * generator(3, f"noise{k}", f"noise/cycle/{step}").standard_normal((12, n))
            for k, n in ((1, 5), (2, 4))
        ]
        h1 = np.maximum(x @ W[0].T + xi[0], 0)
        y = h1 @ W[1].T + xi[1]
        r = (y.argmax(1) == target).astype(float)
        factor = (r - baseline)[:, None]
        W = [W[0] + eta * (factor * xi[0]).T @ x / 12, W[1] + eta * (factor * xi[1]).T @ h1 / 12]
        baseline += (r.mean() - baseline) / tau
    for k in range(2):
        assert np.isfinite(W[k]).all()
        np.testing.assert_allclose(weights(circuit, f"W{k}"), W[k], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(circuit.state("up2", "baseline")[0].numpy(), baseline, rtol=1e-10)


def test_sign_symmetry_and_direct_feedback_alignment_are_their_published_rules():
    sign = cs.compile(sign_symmetry(LAYERS, eta=0.1), seed=1, dtype="float64", device="cpu")
    direct = cs.compile(direct_feedback_alignment(LAYERS, eta=0.1, gamma=0.0), seed=1, dtype="float64", device="cpu")
    W = {c: [weights(c, f"W{k}") for k in range(3)] for c in (sign, direct)}
    B = {k: weights(direct, f"V{k}") for k in (1, 2)}
    for x, target in batches(40):
        for circuit in (sign, direct):
            circuit.step(x, target)
            h, p = ascend(W[circuit], x)
            g = {3: softmax_error(h[-1], target)[0]}
            for k in (2, 1):
                fed = g[k + 1] @ np.sign(W[circuit][k]) / np.sqrt(LAYERS[k]) if circuit is sign else g[3] @ B[k].T
                g[k] = fed * (p[k - 1] > 0)
            W[circuit] = [w + 0.1 * g[k + 1].T @ h[k] / len(x) for k, w in enumerate(W[circuit])]
    for circuit in (sign, direct):
        for k in range(3):
            assert np.isfinite(W[circuit][k]).all()
            np.testing.assert_allclose(weights(circuit, f"W{k}"), W[circuit][k], rtol=1e-10, atol=1e-12)


def test_the_linear_motif_is_logistic_regression_by_sgd():
    circuit = cs.compile(linear(LAYERS, eta=0.1), dtype="float64", device="cpu")
    model = torch.nn.Linear(7, 4, dtype=torch.float64)
    model.weight.data.copy_(circuit.weights("W0")[0])
    model.bias.data.zero_()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    for x, target in batches(50):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(model(torch.tensor(x)), torch.tensor(target)).backward()
        optimiser.step()
        circuit.step(x, target)
    torch.testing.assert_close(circuit.weights("W0")[0], model.weight.data, rtol=0, atol=1e-11)
    torch.testing.assert_close(circuit.weights("b1")[0, :, 0], model.bias.data, rtol=0, atol=1e-11)


def test_competition_is_its_formula_and_lets_the_largest_synapse_win():
    motif = winner_take_all([6, 8, 4], rivals="all", competition=5.0, eta=0.2, gamma=0.1, gain_V=1.0)
    circuit = cs.compile(motif, dtype="float64", device="cpu", record_changes=True)
    x, target = batches(1)[0][0][:, :6], batches(1)[0][1] % 4
    V = weights(circuit, "V1")
    circuit.step(x, target)
    rule = motif.projection("V1").rule.parameters
    h = circuit.activity("up1")[0].numpy()
    h = h / np.sqrt((h**2).mean() + 1e-6)
    g = circuit.activity("down1")[0].numpy()
    rivals = (V**2).sum(1, keepdims=True) + (V**2).sum(0, keepdims=True) - 2 * V**2
    expected = rule["eta"] * (h.T @ g / len(x) - rule["gamma"] * V * (1 + 5.0 * rivals))
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(circuit.last_change("V1")[0].numpy(), expected, rtol=1e-11, atol=1e-14)


def test_a_circuit_with_states_noise_and_phases_goes_on_bit_for_bit_after_saving(tmp_path):
    for motif in (weight_mirror(LAYERS), bcm([7, 4])):
        circuit = cs.compile(motif, replicas=2, device="cpu")
        data = batches(6)
        for x, target in data[:3]:
            circuit.step(x, target if motif.objectives else None)
        circuit.save(tmp_path / "c")
        loaded = cs.load_circuit(tmp_path / "c", device="cpu")
        for x, target in data[3:]:
            for c in (circuit, loaded):
                c.step(x, target if motif.objectives else None)
        for p in motif.projections:
            assert torch.equal(circuit.weights(p.name), loaded.weights(p.name))
    assert torch.equal(circuit.state("output", "theta"), loaded.state("output", "theta"))


def test_sums_over_synapses_of_a_rule_and_of_a_state_do_not_mix():
    motif = cs.Motif("sums")
    motif.add(cs.Population("x", 3), cs.Population("y", 2))
    motif.connect(
        "x", "y", name="W", rule=cs.Rule("0.1 * pre * post * sum_in(w) + 0.01 * sum_in(w**2)"),
        state={"e": cs.State("sum_in(w**4) + sum_in(w**3)")},
    )  # fmt: skip
    circuit = cs.compile(motif, dtype="float64", device="cpu")
    w, x = weights(circuit, "W"), np.random.default_rng(0).standard_normal((5, 3))
    circuit.step(x)
    row = w.sum(1, keepdims=True)
    expected = w + 0.1 * row * ((x @ w.T).T @ x) / 5 + 0.01 * (w**2).sum(1, keepdims=True)
    np.testing.assert_allclose(weights(circuit, "W"), expected, rtol=1e-12)
    e = (w**4 + w**3).sum(1, keepdims=True) + 0 * w
    np.testing.assert_allclose(circuit.state("W", "e")[0].numpy(), e, rtol=1e-12)


def test_absent_synapses_stay_absent_even_where_their_rule_is_not_defined():
    motif = cs.Motif("ratio")
    motif.add(cs.Population("x", 4), cs.Population("y", 3))
    motif.connect("x", "y", name="W", rule=cs.Rule("0.1 * pre / w"), connectivity=cs.Random(0.5))
    circuit = cs.compile(motif, replicas=2, dtype="float64", device="cpu")
    present = circuit.mask("W")
    circuit.step(np.ones((2, 4)))
    after = circuit.weights("W")
    assert (~present).any() and torch.isfinite(after).all()
    assert (after[~present] == 0).all() and (after[present] != 0).all()


def test_a_reduction_sample_by_sample_times_a_normalised_trace():
    motif = cs.Motif("scaled")
    motif.add(cs.Population("x", 4, trace="activity / sqrt(mean(activity**2) + 1)"), cs.Population("y", 6))
    motif.connect("x", "y", name="W", rule=cs.Rule("eta * max_in(minimum(w, pre)) * pre", eta=0.5))
    with pytest.warns(UserWarning, match="sample by sample"):
        circuit = cs.compile(motif, dtype="float64", device="cpu", record_changes=True)
    x = np.random.default_rng(0).standard_normal((5, 4))
    w, trace = circuit.weights("W")[0].numpy(), x / np.sqrt((x**2).mean() + 1)
    largest = np.minimum(w, trace[:, None, :]).max(axis=2)
    circuit.step(x)
    np.testing.assert_allclose(circuit.last_change("W")[0], 0.5 * largest.T @ trace / 5, rtol=1e-12)
