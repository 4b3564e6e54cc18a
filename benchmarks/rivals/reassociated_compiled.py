"""The step of reassociated_torch.py under torch.compile, which allocates the buffers and fuses elementwise operations.

Weights are stored as ``[post, pre]``; in the other layout, a step at width 1024 takes twice as long here.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from benchmarks.rivals import ETA, GAMMA, Step
from benchmarks.rivals.weights import Weights


def sal_step(w: Weights, x: Tensor, y: Tensor) -> None:
    """Equations 1, 2 and 5 to 8, in place; names as in reassociated_torch.py."""
    W, Wt, V, Vt = w["W"], w["Wt"], w["V"], w["Vt"]
    hidden = range(len(V))
    scales = {"beta": 1 - ETA * GAMMA, "alpha": ETA / len(x)}
    ups = [x]
    for k, weights in enumerate(W):
        p = ups[k] @ weights.T
        ups.append(torch.relu(p) if k in hidden else p)
    error = one_hot(y, len(W[-1])).to(x.dtype) - torch.softmax(ups.pop(), -1)
    A = [Wt[-1].T] if Wt else []
    for k in reversed(hidden[:-1]):
        A.insert(0, A[0] @ Wt[k].T)
    M = [error.T @ h for h in ups[1:]]
    VtM = [M[k] @ Vt[k].T for k in hidden]
    drive = [(error @ (A[k] @ V[k].T)) * (ups[k + 1] > 0) for k in hidden] + [error]
    for k, weights in enumerate(W):
        weights.addmm_(drive[k].T, ups[k], **scales)
    for k in hidden:  # upwards, because the last A is Wt itself and must be read before it changes
        V[k].addmm_(M[k].T, A[k], **scales)
        Vt[k].addmm_(A[k].T, M[k], **scales)
        if k < hidden[-1]:
            Wt[k].addmm_(VtM[k].T, A[k + 1], **scales)
        else:
            Wt[k].mul_(scales["beta"]).add_(VtM[k].T, alpha=scales["alpha"])


def make(w: Weights, batch: int) -> Step:
    """Make a step, which is compiled for its shapes at the first call.

    Args:
        w: the weights ``[post, pre]``, which the step changes in place.
        batch: the number of samples in x.
    """
    torch._dynamo.reset()
    compiled = torch.compile(sal_step, dynamic=False)

    @torch.no_grad()
    def step(x: Tensor, y: Tensor) -> None:
        compiled(w, x, y)

    return step
