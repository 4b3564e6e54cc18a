"""Momentum is a state and a rule, against torch.optim.SGD with momentum."""

import numpy as np
import torch

import circuitsim as cs
from motifs import backprop

ETA, MOMENTUM, LAYERS = 0.05, 0.9, [6, 5, 3]


def test_a_state_with_decay_is_the_momentum_of_torchs_optimizer():
    motif = backprop(LAYERS, loss="mse")
    for k in (0, 1):
        remembered = f"mu * m + I_V{k + 1} * pre"
        rule = cs.Rule(f"eta * ({remembered})", eta=ETA, mu=MOMENTUM)
        motif = motif.replace(f"W{k}", rule=rule, state={"m": cs.State(remembered, mu=MOMENTUM)})
    circuit = cs.compile(motif, seed=0, dtype="float64", device="cpu")
    W = [circuit.weights(f"W{k}")[0].clone().requires_grad_() for k in (0, 1)]
    optimizer = torch.optim.SGD(W, lr=ETA, momentum=MOMENTUM)
    rng = np.random.default_rng(0)
    for _ in range(6):
        x, target = rng.standard_normal((8, 6)), rng.standard_normal((8, 3))
        circuit.step(x, target)
        out = torch.relu(torch.from_numpy(x) @ W[0].T) @ W[1].T
        loss = 0.5 * (out - torch.from_numpy(target)).square().sum(1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    for k in (0, 1):
        torch.testing.assert_close(circuit.weights(f"W{k}")[0], W[k].detach(), rtol=1e-12, atol=1e-12)
        assert (circuit.state(f"W{k}", "m") != 0).any()
