"""SAL in plain torch, product by product as in its equations, with preallocated buffers and in-place changes."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.rivals import ETA, GAMMA, Step
from benchmarks.rivals.weights import Weights


def make(w: Weights, batch: int) -> Step:
    """Make a step of equations 1, 2 and 5 to 8.

    Args:
        w: the weights ``[post, pre]`` or ``[replica, post, pre]``, which the step changes in place.
        batch: the number of samples in x.
    """
    W, Wt, V, Vt = w["W"], w["Wt"], w["V"], w["Vt"]
    lead, depth = W[0].shape[:-2], len(W)
    multiply, add = (torch.bmm, Tensor.baddbmm_) if lead else (torch.mm, Tensor.addmm_)
    widths = [tensor.shape[-2] for tensor in W]
    h = [W[0].new_empty(*lead, batch, width) for width in widths]
    g, drive, current = ([torch.empty_like(tensor) for tensor in h] for _ in range(3))
    outer = [torch.empty_like(tensor) for tensor in V]
    ones = torch.ones_like(h[-1][..., :1])
    keep, rate = 1 - ETA * GAMMA, ETA / batch
    gate = torch.ops.aten.threshold_backward.grad_input  # the product with the slope of ReLU, in one pass
    drive[-1] = g[-1]

    @torch.no_grad()
    def step(x: Tensor, y: Tensor) -> None:
        below = x.expand(*lead, *x.shape)
        ups = [below, *h]
        for k in range(depth):
            multiply(ups[k], W[k].mT, out=h[k])
            if k < depth - 1:
                h[k].relu_()
        torch.softmax(h[-1], -1, out=g[-1]).neg_()
        g[-1].scatter_add_(-1, y.expand(*lead, batch).unsqueeze(-1), ones)
        for k in reversed(range(depth - 1)):
            multiply(g[k + 1], Wt[k].mT, out=g[k])
            multiply(g[k], V[k].mT, out=drive[k])
            gate(drive[k], h[k], 0, grad_input=drive[k])
            multiply(h[k], Vt[k].mT, out=current[k])
            multiply(h[k].mT, g[k], out=outer[k])
        for k in range(depth):
            add(W[k], drive[k].mT, ups[k], beta=keep, alpha=rate)
        for k in range(depth - 1):
            add(Wt[k], current[k].mT, g[k + 1], beta=keep, alpha=rate)
            V[k].mul_(keep).add_(outer[k], alpha=rate)
            Vt[k].mul_(keep).add_(outer[k].mT, alpha=rate)

    return step
