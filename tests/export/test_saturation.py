"""A network whose neurons cannot fire as fast as the rate circuit says tells so, with the share of samples."""

import warnings

import numpy as np
import pytest

import circuitsim as cs
from circuitsim.export import (
    LIF,
    IntegrateAndFire,
    Poisson,
    SaturationWarning,
    SignedIntegrateAndFire,
    Spiking,
    Stream,
    Trial,
)
from circuitsim.export.brian2.spiking.saturation import saturation
from motifs import paper_sal

pytest.importorskip("brian2")

TRIAL = Trial(ascending_ms=100, descending_ms=10, silence_ms=0, rests=True)
LINEAR = Spiking(ascending=Stream(50.0, rectified=IntegrateAndFire()), inputs=IntegrateAndFire(), trial=TRIAL)


def network(scale: float, spiking: Spiking = LINEAR, plastic: bool = False):
    """A circuit that hands its three inputs on, `scale` times as large, to a hidden layer and to the output."""
    motif = paper_sal([3, 3, 3], trace=None, loss="mse", eta=1e-3)
    circuit = cs.compile(motif, device="cpu", dtype="float64")
    circuit.set_weights("W0", scale * np.eye(3))
    circuit.set_weights("W1", np.eye(3))
    return cs.export_brian2(
        circuit, mode="spiking", target="numpy", spiking=spiking, n_trials=2, plastic=plastic
    )  # fmt: skip


X = np.eye(3)[[0, 1, 2, 0, 1, 2, 0, 1]] * np.linspace(0.3, 1.0, 8)[:, None]


def warning_of(act) -> str:
    with pytest.warns(SaturationWarning) as caught:
        act()
    assert caught[0].filename == __file__
    return str(caught[0].message)


def test_conversion_says_which_share_of_the_samples_is_too_large():
    net = network(40.0)  # 20 units are one spike in each step of 0.5 ms
    message = warning_of(lambda: net.predict(X))
    n = int((40 * X.max(1) > 20).sum())
    assert 2 < n < 8
    assert f"{n} of 8 samples ({100 * n / 8:.2g} %)" in message
    assert "'up1' (IntegrateAndFire, at most 20) reaches 40" in message
    assert "rate_hz=50" in message and "volleys 2 times as long (an ascending volley of 200 ms)" in message


def test_such_samples_are_indeed_answered_alike():
    with pytest.warns(SaturationWarning):
        found = network(40.0).predict(X).max(1)
    assert np.isfinite(found).all()
    wanted = 40 * X.max(1)
    fits = wanted < 20
    assert found.max() <= 20 and np.ptp(found[~fits]) < 3 and np.ptp(wanted[~fits]) > 15  # whatever was wanted
    slower = Spiking(
        ascending=Stream(50.0, rectified=IntegrateAndFire()), inputs=IntegrateAndFire(), rate_hz=50.0,
        trial=Trial(ascending_ms=200, descending_ms=10, silence_ms=0, rests=True),
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error", SaturationWarning)
        better = network(40.0, slower).predict(X).max(1)
    assert np.abs(better - wanted).max() < 0.2 * wanted.max()


@pytest.mark.parametrize(
    ("cell", "options", "most"),
    [
        (LIF(), {}, 5),  # 2 ms between spikes
        (LIF(refractory_ms=0), {}, 20),
        (LIF(), {"rate_hz": 50.0}, 10),
        (IntegrateAndFire(40.0), {}, 0.5),
        (SignedIntegrateAndFire(), {}, 5),
        (Poisson(), {"rate_hz": 500.0}, 4),
    ],
)
def test_every_model_has_its_largest_activity(cell, options, most):
    """One spike in each time step or refractory period."""
    spiking = Spiking(**options)
    for sign in (1, -1):
        activities = {"p": sign * np.array([[0.0, most * 0.99], [0.0, most * 1.01], [most * 2.0, 0.0]])}
        message = saturation(activities, {"p": cell}, spiking)
        assert message.startswith("2 of 3 samples (67 %)") and f"at most {most:.3g}) reaches {2 * most:.3g}" in message
        assert saturation({"p": activities["p"][:1]}, {"p": cell}, spiking) == ""
        assert saturation({"p": activities["p"][2:]}, {"p": cell}, spiking).startswith("1 of 1 samples (100 %)")


def test_within_range_nothing_is_said_and_learning_says_it_too():
    with warnings.catch_warnings():
        warnings.simplefilter("error", SaturationWarning)
        network(19.0).predict(X[-2:])
    net = network(40.0, plastic=True)
    message = warning_of(lambda: net.fit((X, np.arange(8) % 3), samples=2, progress=False))
    assert "'up1' (IntegrateAndFire, at most 20) reaches 40" in message
    assert "'down2' (SignedIntegrateAndFire, at most 5) reaches" in message  # errors of up to 40
