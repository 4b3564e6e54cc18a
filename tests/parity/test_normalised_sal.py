"""The normalised form of SAL takes the steps of its equations, here in NumPy, and does not see units or widths."""

import numpy as np
import pytest

import circuitsim as cs
from motifs import sal

LAYERS, FEEDBACK = [7, 6, 5, 4], [8, 3]
RATES = {"eta": 3.0, "gain": 4.0, "cap": 0.7, "tau": 50.0, "gamma": 1e-3, "few": 5.0}


def rms(a: np.ndarray) -> float:
    return float(np.sqrt((a**2).mean()))


def expected_change(
    w: dict[str, np.ndarray], x: np.ndarray, target: np.ndarray, rates: dict[str, float]
) -> dict[str, np.ndarray]:
    """The change of every weight, written out from the equations in the docstring of `sal`."""
    n_layers, batch = len(LAYERS) - 1, len(x)
    h, slope = [x], []
    for k in range(n_layers):
        drive = h[-1] @ w[f"W{k}"].T
        slope.append((drive > 0) * 1.0)
        h.append(np.maximum(drive, 0.0) if k < n_layers - 1 else drive)
    p = np.exp(h[-1] - h[-1].max(1, keepdims=True))
    g = {n_layers: np.eye(LAYERS[-1])[target] - p / p.sum(1, keepdims=True)}
    for k in range(n_layers - 1, 0, -1):
        g[k] = g[k + 1] @ w[f"Wt{k}"].T
    m = rms(g[n_layers])
    unit_h, unit_g = [a / rms(a) for a in h], {k: a / rms(a) for k, a in g.items()}
    gain, cap, tau, gamma = (rates[k] for k in ("gain", "cap", "tau", "gamma"))
    eta = rates["eta"] * batch / (batch + rates["few"])
    change = {}
    for k in range(n_layers):
        dendrite, rate = g[n_layers], eta
        if k < n_layers - 1:
            current = slope[k] * (unit_g[k + 1] @ w[f"V{k + 1}"].T)
            dendrite, rate = m * min(gain, cap / rms(current)) * current, eta / (n_layers - 1)
        lms = dendrite.T @ h[k] / batch / (LAYERS[k] * rms(h[k]) ** 2)
        change[f"W{k}"] = rate * lms - eta * gamma * w[f"W{k}"]
    for k in range(1, n_layers):
        hebb = unit_h[k].T @ unit_g[k] / batch
        change[f"V{k}"] = (hebb - w[f"V{k}"]) / tau
        change[f"Vt{k}"] = (hebb.T - w[f"Vt{k}"]) / tau
        delivered = unit_h[k] @ w[f"Vt{k}"].T / (LAYERS[k] * np.sqrt(FEEDBACK[k - 1]))
        change[f"Wt{k}"] = (delivered.T @ unit_g[k + 1] / batch - w[f"Wt{k}"]) / tau
    return change


def weights_of(circuit: cs.Circuit, replica: int) -> dict[str, np.ndarray]:
    return {p.name: circuit.weights(p.name)[replica].numpy() for p in circuit.plan.plastic()}


@pytest.mark.parametrize("gain", [0.01, 4.0])  # the dendrite does not saturate, or does
def test_every_projection_changes_as_the_equations_say(gain):
    rates = {**RATES, "gain": gain}
    circuit = cs.compile(sal(LAYERS, FEEDBACK, **rates), replicas=2, seed=3, dtype="float64", device="cpu")
    rng = np.random.default_rng(0)
    for batch in (11, 11, 3, 20):  # from 16 samples on, errors of few classes lie along the samples in memory
        x, target = rng.standard_normal((batch, LAYERS[0])), rng.integers(0, LAYERS[-1], batch)
        before = [weights_of(circuit, r) for r in range(2)]
        circuit.step(x, target)
        for r in range(2):
            change, after = expected_change(before[r], x, target, rates), weights_of(circuit, r)
            assert set(change) == set(after)
            for name in change:
                assert np.isfinite(after[name]).all()
                np.testing.assert_allclose(after[name], before[r][name] + change[name], rtol=1e-11, atol=1e-13)


def test_lemma_1_the_gap_between_V_and_Vt_shrinks_by_a_fixed_factor_whatever_the_data():
    circuit = cs.compile(sal(LAYERS, FEEDBACK, **{**RATES, "gain_V": 1.0}), seed=1, dtype="float64", device="cpu")

    def gap(layer: int) -> float:
        return float((circuit.weights(f"V{layer}")[0] - circuit.weights(f"Vt{layer}")[0].T).norm())

    start, rng = {layer: gap(layer) for layer in (1, 2)}, np.random.default_rng(0)
    for n in range(1, 101):
        circuit.step(rng.standard_normal((16, LAYERS[0])), rng.integers(0, LAYERS[-1], 16))
        for layer in (1, 2):
            np.testing.assert_allclose(gap(layer) / start[layer], (1 - 1 / RATES["tau"]) ** n, rtol=1e-10)


def test_the_units_of_the_input_do_not_matter():
    """Inputs in other units, seen through first weights in inverse units, give the same circuit."""
    plain, scaled = (cs.compile(sal(LAYERS, FEEDBACK, **RATES), dtype="float64", device="cpu") for _ in range(2))
    scaled.set_weights("W0", plain.weights("W0") / 100)
    rng = np.random.default_rng(0)
    for _ in range(20):
        x, target = rng.standard_normal((16, LAYERS[0])), rng.integers(0, LAYERS[-1], 16)
        a, b = plain.step(x, target).loss, scaled.step(100 * x, target).loss
        np.testing.assert_allclose(a, b, rtol=1e-9)
    np.testing.assert_allclose(plain.weights("W0"), 100 * scaled.weights("W0"), rtol=1e-8)
    np.testing.assert_allclose(plain.weights("V1"), scaled.weights("V1"), rtol=1e-8)


def test_an_excitatory_start_has_positive_descending_pathways_of_the_same_size():
    signed, positive = (cs.compile(sal(LAYERS, FEEDBACK, excitatory=e), device="cpu") for e in (False, True))
    for name in ("V1", "Vt1", "Wt1", "V2", "Vt2", "Wt2"):
        assert (signed.weights(name) < 0).any()
        np.testing.assert_array_equal(positive.weights(name), signed.weights(name).abs())
    np.testing.assert_array_equal(positive.weights("W0"), signed.weights("W0"))


def test_the_forms_of_sal():
    assert sal(LAYERS, form="paper", eta=0.3).projection("W0").rule.parameters["eta"] == 0.3
    with pytest.raises(cs.MotifError, match=r"sal: form must be one of \['normalised', 'paper'\] \(got 'papr'\)"):
        sal(LAYERS, form="papr")
    with pytest.raises(TypeError, match="eta_V"):
        sal(LAYERS, eta_V=1.0)
