"""Predictive coding in plain torch: the inference moves values in place, and W0 x, which stays, is computed once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from benchmarks.rivals import ETA, Step


def make(w: Sequence[Tensor], batch: int, iterations: int, rate: float) -> Step:
    """Make a step of the equations in `motifs.predictive_coding`.

    Args:
        w: the weights ``[post, pre]`` of each layer, which the step changes in place.
        batch: the number of samples in x.
        iterations: how many times the values move before the weights change.
        rate: the step of an iteration.
    """
    hidden = range(len(w) - 1)
    m = [tensor.new_empty(batch, len(tensor)) for tensor in w]  # predictions; the last is the output
    v, f, pull = ([torch.empty_like(tensor) for tensor in m[:-1]] for _ in range(3))
    e = [torch.empty_like(tensor) for tensor in m]
    ones = torch.ones_like(m[-1][:, :1])
    gate = torch.ops.aten.threshold_backward.grad_input  # the product with the slope of ReLU, in one pass

    @torch.no_grad()
    def step(x: Tensor, y: Tensor) -> None:
        torch.mm(x, w[0].T, out=m[0])
        for t in range(iterations + 1):
            for k in hidden:
                if t == 0:  # values start at their predictions
                    v[k].copy_(m[k])
                    e[k].zero_()
                else:
                    v[k].add_(pull[k], alpha=rate).sub_(e[k], alpha=rate)
                    torch.sub(v[k], m[k], out=e[k])
                torch.clamp(v[k], min=0, out=f[k])
                torch.mm(f[k], w[k + 1].T, out=m[k + 1])
            torch.softmax(m[-1], 1, out=e[-1]).neg_().scatter_add_(1, y.unsqueeze(1), ones)
            if t < iterations:
                for k in hidden:
                    torch.mm(e[k + 1], w[k + 1], out=pull[k])
                    gate(pull[k], v[k], 0, grad_input=pull[k])
        for k, weights in enumerate(w):
            weights.addmm_(e[k].T, f[k - 1] if k else x, alpha=ETA / batch)

    return step
