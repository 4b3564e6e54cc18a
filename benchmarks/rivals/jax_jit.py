"""The same in JAX: one jitted function that gives its weights away, so that XLA may update them in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from torch import Tensor

from benchmarks.rivals import ETA, GAMMA
from benchmarks.rivals.plain_torch import weights


def sal_step(w: dict[str, list[Any]], x: Any, y: Any) -> dict[str, list[Any]]:
    """Equations 1, 2 and 5 to 8; returns the new weights."""
    W, Wt, V, Vt = w["W"], w["Wt"], w["V"], w["Vt"]
    depth, n = len(W), x.shape[-2]
    h, p = [x], []
    for layer in range(depth):
        p.append(h[-1] @ W[layer].mT)
        h.append(jax.nn.relu(p[-1]) if layer < depth - 1 else p[-1])
    error = jax.nn.one_hot(y, h[-1].shape[-1]) - jax.nn.softmax(h[-1])
    g = [error]
    for layer in reversed(range(depth - 1)):
        g.insert(0, g[0] @ Wt[layer].mT)
    drives = [(g[k] @ V[k].mT) * (p[k] > 0) for k in range(depth - 1)] + [error]
    currents = [h[k + 1] @ Vt[k].mT for k in range(depth - 1)]
    outer = [h[k + 1].mT @ g[k] for k in range(depth - 1)]
    keep, rate = 1 - ETA * GAMMA, ETA / n
    return {
        "W": [keep * W[k] + rate * drives[k].mT @ h[k] for k in range(depth)],
        "Wt": [keep * Wt[k] + rate * currents[k].mT @ g[k + 1] for k in range(depth - 1)],
        "V": [keep * V[k] + rate * outer[k] for k in range(depth - 1)],
        "Vt": [keep * Vt[k] + rate * outer[k].mT for k in range(depth - 1)],
    }


def make(layers: Sequence[int], batch: int, n_replicas: int = 1) -> Callable[[Tensor, Tensor], None]:
    """A step of SAL in JAX."""
    state = jax.tree.map(lambda tensor: jnp.asarray(tensor.numpy()), weights(layers, n_replicas))
    jitted = jax.jit(sal_step, donate_argnums=0)
    ready: dict[int, Any] = {}

    def as_jax(tensor: Tensor) -> Any:  # once: a user of JAX has JAX arrays
        if id(tensor) not in ready:
            ready[id(tensor)] = jnp.asarray(np.ascontiguousarray(tensor.numpy()))
        return ready[id(tensor)]

    def step(x: Tensor, y: Tensor) -> None:
        nonlocal state
        state = jax.block_until_ready(jitted(state, as_jax(x), as_jax(y)))

    return step
