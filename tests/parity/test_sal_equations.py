"""SAL's step is equations 5 to 8, and each rule descends its local loss."""

import numpy as np
import pytest
import torch

import circuitsim as cs
from motifs import paper_sal
from tests.parity.reference import sal_step

LAYERS, FEEDBACK = [7, 6, 5, 4], [8, 3]


def batch(rng: np.random.Generator, n: int = 11):
    return rng.standard_normal((n, LAYERS[0])), rng.integers(0, LAYERS[-1], n)


def numpy_weights(circuit: cs.Circuit, replica: int = 0) -> dict[str, np.ndarray]:
    return {p.name: circuit.weights(p.name)[replica].numpy() for p in circuit.plan.plastic()}


@pytest.mark.parametrize("gated", [True, False])
@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize("record", [True, False])
def test_every_projection_changes_as_equations_5_to_8_say(gated, scaled, normalised, record):
    options = {} if normalised else {"trace": None}
    rates = {"eta": 0.3, "eta_V": 0.5, "eta_Wt": 0.25, "gamma": 0.01, "gamma_Wt": 4.0}
    kind = {"gated": gated, "decay": "scaled" if scaled else "plain"}
    motif = paper_sal(LAYERS, FEEDBACK, gain_V=1.0, **rates, **kind, **options)
    circuit = cs.compile(motif, replicas=2, seed=3, dtype="float64", device="cpu", record_changes=record)
    rates = {"W": (0.3, 0.01), "V": (0.15, 0.01), "Vt": (0.15, 0.01), "Wt": (0.075, 0.04)}
    rng = np.random.default_rng(0)
    for _ in range(5):
        x, target = batch(rng)
        before = [numpy_weights(circuit, r) for r in range(2)]
        result = circuit.step(x, target)
        for r in range(2):
            change, loss = sal_step(before[r], x, target, rates, gated, scaled, normalised)
            assert np.isfinite(loss)
            np.testing.assert_allclose(result.loss[r].item(), loss, rtol=1e-12)
            after = numpy_weights(circuit, r)
            assert set(change) == set(after)
            for name in change:
                assert np.isfinite(after[name]).all()
                np.testing.assert_allclose(after[name], before[r][name] + change[name], rtol=1e-12, atol=1e-14)
                if record:
                    recorded = circuit.last_change(name)[r].numpy()
                    np.testing.assert_allclose(recorded, change[name], rtol=1e-12, atol=1e-15)


def test_each_rule_descends_its_local_loss():
    """d w = -eta d/dw [ -post_drive . (w pre) + gamma/2 |w|^2 ], the drive held fixed (equations 10 to 12)."""
    eta, gamma = 0.2, 0.03
    motif = paper_sal(
        LAYERS, FEEDBACK, eta=eta, eta_V=1.0, eta_Wt=1.0, gamma=gamma, gamma_Wt=1.0, gain_V=1.0, trace=None
    )
    circuit = cs.compile(motif, seed=1, dtype="float64", device="cpu", record_changes=True)
    x, target = batch(np.random.default_rng(1))
    before = {p.name: circuit.weights(p.name)[0] for p in circuit.plan.plastic()}
    circuit.step(x, target)
    for p in circuit.plan.plastic():
        kind = p.name.rstrip("0123456789")
        layer = int(p.name[len(kind) :])
        pre, post = circuit.activity(p.pre)[0], circuit.activity(p.post)[0]
        post_drive = {
            "W": lambda k=layer, q=p: (
                circuit.current(f"V{k + 1}")[0] * ((circuit.drive(q.post)[0] > 0) if k + 2 < len(LAYERS) else 1.0)
            ),
            "Wt": lambda k=layer: circuit.current(f"Vt{k}")[0],
            "V": lambda post=post: post,
            "Vt": lambda post=post: post,
        }[kind]()
        w = before[p.name].clone().requires_grad_()
        local_loss = (-(post_drive * (pre @ w.T)).sum(1)).mean() + gamma / 2 * w.square().sum()
        (gradient,) = torch.autograd.grad(local_loss, w)
        change = circuit.last_change(p.name)[0]
        assert torch.isfinite(change).all() and change.abs().max() > 1e-6
        torch.testing.assert_close(change, -eta * gradient, rtol=1e-12, atol=1e-15)
