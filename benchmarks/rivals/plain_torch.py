"""SAL in plain torch: in place, fused where torch has a fused product, nothing kept between steps."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from benchmarks.rivals import ETA, GAMMA

Weights = dict[str, list[Tensor]]


def weights(layers: Sequence[int], n_replicas: int = 1) -> Weights:
    """W[l] onto layer l + 1; Wt[l], V[l], Vt[l] of hidden layer l + 1; ``[post, pre]``, or ``[R, post, pre]``."""
    lead = () if n_replicas == 1 else (n_replicas,)
    hidden = range(1, len(layers) - 1)

    def draw(post: int, pre: int) -> Tensor:
        return torch.randn(*lead, post, pre) / pre**0.5

    return {
        "W": [draw(b, a) for a, b in itertools.pairwise(layers)],
        "Wt": [draw(layers[k], layers[k + 1]) for k in hidden],
        "V": [0.1 * draw(layers[k], layers[k]) for k in hidden],
        "Vt": [0.1 * draw(layers[k], layers[k]) for k in hidden],
    }


def sal_step(w: Weights, x: Tensor, y: Tensor) -> None:
    """Equations 1, 2 and 5 to 8, in place."""
    W, Wt, V, Vt = w["W"], w["Wt"], w["V"], w["Vt"]
    depth, n = len(W), x.shape[-2]
    h, p = [x], []
    for layer in range(depth):
        p.append(h[-1] @ W[layer].mT)
        h.append(torch.relu(p[-1]) if layer < depth - 1 else p[-1])
    error = -torch.softmax(h[-1], -1)
    error.scatter_add_(-1, y.expand(h[-1].shape[:-1]).unsqueeze(-1), torch.ones_like(error))
    g = [error]
    for layer in reversed(range(depth - 1)):
        g.insert(0, g[0] @ Wt[layer].mT)
    drives = [(g[k] @ V[k].mT) * (p[k] > 0) for k in range(depth - 1)] + [error]
    currents = [h[k + 1] @ Vt[k].mT for k in range(depth - 1)]
    keep, rate = 1 - ETA * GAMMA, ETA / n
    for layer in range(depth):
        _add(W[layer], drives[layer], h[layer], keep, rate)
    for k in range(depth - 1):
        _add(Wt[k], currents[k], g[k + 1], keep, rate)
        outer = h[k + 1].mT @ g[k]
        V[k].mul_(keep).add_(outer, alpha=rate)
        Vt[k].mul_(keep).add_(outer.mT, alpha=rate)


def _add(w: Tensor, post: Tensor, pre: Tensor, keep: float, rate: float) -> None:
    if w.ndim == 2:
        w.addmm_(post.T, pre, beta=keep, alpha=rate)
    else:
        w.baddbmm_(post.mT, pre.expand(w.shape[0], *pre.shape[-2:]), beta=keep, alpha=rate)


def make(layers: Sequence[int], batch: int, n_replicas: int = 1) -> Callable[[Tensor, Tensor], None]:
    """A step of SAL in plain torch."""
    w = weights(layers, n_replicas)

    def step(x: Tensor, y: Tensor) -> None:
        with torch.no_grad():
            sal_step(w, x, y)

    return step
