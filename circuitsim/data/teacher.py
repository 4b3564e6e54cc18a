"""A random teacher network, which defines a task of any size without files."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from circuitsim.data.source import Request, Source
from circuitsim.data.split import hold_out
from circuitsim.errors import ParameterError
from circuitsim.whole import whole

TEST = VALIDATION = 0.15


def load_teacher(
    request: Request,
    *,
    n_features: int = 32,
    n_hidden: int = 64,
    n_outputs: int = 5,
    n_samples: int = 4000,
    depth: int = 2,
) -> Source:
    """Draw Gaussian inputs and classify them with a random network.

    ``h_0 = x``, ``h_k = relu(W_k h_{k-1})`` for k = 1..depth, ``class = argmax standardised(V h_depth)``, where
    `x` is standard normal and the weights are normal with variance 2 / fan-in. Each output is standardised over the
    samples; otherwise the positive means of ReLU would assign nearly all samples to a few classes. A depth of 0 gives a
    linear teacher.
    """
    least = {"n_features": 1, "n_hidden": 1, "n_outputs": 2, "n_samples": 10, "depth": 0}
    sizes = {"n_features": n_features, "n_hidden": n_hidden, "n_outputs": n_outputs, "n_samples": n_samples}
    for name, size in (sizes | {"depth": depth}).items():
        whole(name, size, least=least[name])
    if n_samples < 10 * n_outputs:
        raise ParameterError(f"n_samples is {n_samples}; {n_outputs} classes need at least {10 * n_outputs}")
    rng = np.random.default_rng(request.seed)
    x = rng.standard_normal((n_samples, n_features))
    hidden = x
    for _ in range(depth):
        hidden = np.maximum(hidden @ _weights(rng, hidden.shape[1], n_hidden), 0)
    logits = hidden @ _weights(rng, hidden.shape[1], n_outputs)
    y = torch.from_numpy(((logits - logits.mean(0)) / logits.std(0)).argmax(1))
    inputs = torch.tensor(x, dtype=torch.float32)
    kept, held = hold_out(n_samples, round(TEST * n_samples), classes=y, seed=request.seed)
    test, fraction = (inputs[held], y[held]), VALIDATION / (1 - TEST)
    return Source(inputs[kept], y[kept], test, n_outputs=n_outputs, n_channels=n_features, validation=fraction)


def _weights(rng: np.random.Generator, fan_in: int, fan_out: int) -> NDArray[np.float64]:
    return rng.normal(scale=(2 / fan_in) ** 0.5, size=(fan_in, fan_out))
