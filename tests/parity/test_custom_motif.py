"""A motif of one's own, with a skip connection, a bias unit and unequal streams, against a hand-written loop."""

import numpy as np

import circuitsim as cs

N_IN, N_HIDDEN, N_OUT, N_DOWN = 6, 5, 3, 7
ETA, GAMMA = 0.1, 0.02


def motif() -> cs.Motif:
    m = cs.Motif("skip")
    m.add(cs.Population("image", N_IN))
    m.add(cs.Population("hidden", N_HIDDEN, activation="tanh"))
    m.add(cs.Population("out", N_OUT))
    m.add(cs.Bias("bias"))
    m.add(cs.Population("back", N_DOWN, stream="descending", activation="relu"))
    m.add(cs.Population("error", N_OUT, stream="descending"))
    rates = {"eta": ETA, "gamma": GAMMA}
    m.connect("image", "hidden", name="W0", rule=cs.Rule("eta * (slope_post * I_V * pre - gamma * w)", **rates))
    m.connect(
        "bias", "hidden", name="b", rule=cs.Rule("eta * slope_post * dendrite_post", eta=ETA), init=cs.Constant(0.1)
    )
    m.connect("hidden", "out", name="W1", rule=cs.Rule("eta * (I_E * pre - gamma * w)", **rates))
    m.connect("image", "out", name="skip", rule=cs.Rule("eta * I_E * pre", eta=ETA), init=cs.Gaussian(0.5))
    m.connect("error", "back", name="Wt", rule=cs.Rule("eta * (I_Vt * pre - gamma * w)", **rates))
    m.connect(
        "back", "hidden", name="V", compartment="dendrite", rule=cs.Rule("eta * (post * pre - gamma * w)", **rates)
    )
    m.connect("hidden", "back", name="Vt", compartment="dendrite", bounds=(-0.3, 0.3),
              rule=cs.Rule("eta * (post * pre - gamma * w)", **rates))  # fmt: skip
    m.connect("error", "out", name="E", compartment="dendrite", connectivity=cs.OneToOne(), init=cs.Identity())
    m.add(cs.Objective("out", "error", loss="mse"))
    return m


def by_hand(w: dict[str, np.ndarray], x: np.ndarray, t: np.ndarray) -> tuple[dict[str, np.ndarray], float]:
    """One step of the motif above, sample by sample."""
    change = {name: np.zeros_like(value) for name, value in w.items()}
    loss = 0.0
    for image, wanted in zip(x, t, strict=True):
        hidden = np.tanh(w["W0"] @ image + w["b"][:, 0])
        out = w["W1"] @ hidden + w["skip"] @ image
        loss += 0.5 * np.sum((out - wanted) ** 2)
        e = wanted - out
        back = np.maximum(w["Wt"] @ e, 0)
        drive = (1 - hidden**2) * (w["V"] @ back)
        change["W0"] += ETA * (np.outer(drive, image) - GAMMA * w["W0"])
        change["b"] += ETA * drive[:, None]
        change["W1"] += ETA * (np.outer(e, hidden) - GAMMA * w["W1"])
        change["skip"] += ETA * np.outer(e, image)
        change["Wt"] += ETA * (np.outer(w["Vt"] @ hidden, e) - GAMMA * w["Wt"])
        change["V"] += ETA * (np.outer(hidden, back) - GAMMA * w["V"])
        change["Vt"] += ETA * (np.outer(back, hidden) - GAMMA * w["Vt"])
    new = {name: w[name] + change[name] / len(x) for name in w}
    new["Vt"] = np.clip(new["Vt"], -0.3, 0.3)
    return new, loss / len(x)


def test_a_custom_motif_agrees_with_a_hand_written_loop():
    circuit = cs.compile(motif(), replicas=2, seed=4, dtype="float64", device="cpu")
    names = [p.name for p in circuit.plan.plastic()]
    assert set(names) == {"W0", "b", "W1", "skip", "Wt", "V", "Vt"}
    w = [{name: circuit.weights(name)[r].numpy() for name in names} for r in range(2)]
    rng = np.random.default_rng(0)
    for step in range(60):
        x, t = rng.standard_normal((9, N_IN)), rng.standard_normal((9, N_OUT))
        losses = circuit.step(x, t).loss
        for r in range(2):
            w[r], loss = by_hand(w[r], x, t)
            assert np.isfinite(loss)
            np.testing.assert_allclose(losses[r].item(), loss, rtol=1e-11)
            for name in names:
                np.testing.assert_allclose(
                    circuit.weights(name)[r].numpy(), w[r][name], rtol=1e-10, atol=1e-12, err_msg=f"{name} step {step}"
                )
    assert np.abs(w[0]["Vt"]).max() == 0.3  # the bound was at work
