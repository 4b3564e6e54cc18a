"""The step of reassociated_torch.py in JAX, as one jitted function that donates its weights."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from torch import Tensor

from benchmarks.rivals import ETA, GAMMA, Step
from benchmarks.rivals.weights import Weights


def sal_step(w: dict[str, list[Any]], x: Any, y: Any) -> dict[str, list[Any]]:
    """Return the new weights by equations 1, 2 and 5 to 8, with the names of reassociated_torch.py."""
    W, Wt, V, Vt = w["W"], w["Wt"], w["V"], w["Vt"]
    hidden, keep, rate = range(len(V)), 1 - ETA * GAMMA, ETA / len(x)
    ups = [x]
    for k, weights in enumerate(W):
        p = ups[k] @ weights.T
        ups.append(jax.nn.relu(p) if k in hidden else p)
    output = ups.pop()
    error = jax.nn.one_hot(y, output.shape[1], dtype=output.dtype) - jax.nn.softmax(output)
    A = [Wt[-1].T] if Wt else []
    for k in reversed(hidden[:-1]):
        A.insert(0, A[0] @ Wt[k].T)
    M = [error.T @ h for h in ups[1:]]
    drive = [(error @ (A[k] @ V[k].T)) * (ups[k + 1] > 0) for k in hidden] + [error]
    VtM = [(M[k] @ Vt[k].T).T for k in hidden]
    return {
        "W": [keep * W[k] + rate * (drive[k].T @ ups[k]) for k in range(len(W))],
        "Wt": [keep * Wt[k] + rate * (VtM[k] @ A[k + 1] if k < hidden[-1] else VtM[k]) for k in hidden],
        "V": [keep * V[k] + rate * (M[k].T @ A[k]) for k in hidden],
        "Vt": [keep * Vt[k] + rate * (A[k].T @ M[k]) for k in hidden],
    }


def make(w: Weights, batch: int) -> Step:
    """Make a step, which is compiled for its shapes at the first call.

    Args:
        w: the weights ``[post, pre]``, which are copied.
        batch: the number of samples in x.
    """
    state = jax.tree.map(lambda tensor: jnp.array(tensor.cpu().numpy()), w)
    jitted = jax.jit(sal_step, donate_argnums=0)
    ready: dict[int, Any] = {}

    def as_jax(tensor: Tensor) -> Any:  # convert only once, because a user of JAX already has JAX arrays
        if id(tensor) not in ready:
            ready[id(tensor)] = jnp.array(np.ascontiguousarray(tensor.cpu().numpy()))
        return ready[id(tensor)]

    def step(x: Tensor, y: Tensor) -> None:
        nonlocal state
        state = jax.block_until_ready(jitted(state, as_jax(x), as_jax(y)))

    return step
