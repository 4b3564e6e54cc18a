r"""SAL in plain torch with its products in their cheapest order, which never computes the descending stream.

The stream is linear, so g_l = A_l e with A_l = Wt_l ... Wt_{L-1}, and e is as narrow as the output::

    V_l g_l                = (V_l A_l) e
    E[h_l g_l^T]           = E[h_l e^T] A_l^T
    E[(Vt_l h_l) g_{l+1}^T] = Vt_l E[h_l e^T] A_{l+1}^T

Everything narrow is kept transposed, ``[output, neuron]``: at width 1024 E[h e^T] takes a fifth of the time so, and V A
half. Weights lie ``[pre, post]`` in memory, but for the readout: torch's BLAS is a little faster so.
"""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.rivals import ETA, GAMMA, Step
from benchmarks.rivals.weights import Weights


def make(w: Weights, batch: int) -> Step:
    """Make a step of equations 1, 2 and 5 to 8.

    Args:
        w: the weights ``[post, pre]``, which change their memory layout now, and their values in each step.
        batch: the number of samples in x.
    """
    lay_out(w)
    W, Wt, V, Vt = w["W"], w["Wt"], w["V"], w["Vt"]
    hidden, n_outputs = range(len(V)), len(W[-1])
    h = [tensor.new_empty(batch, len(tensor)) for tensor in W]
    drive = [torch.empty_like(tensor) for tensor in h]
    # A^T, (V A)^T, E[h e^T]^T and (Vt E[h e^T])^T of each hidden layer; the last A is Wt itself
    A, VA, M, VtM = ([tensor.new_empty(n_outputs, len(tensor)) for tensor in V] for _ in range(4))
    if V:
        A[-1] = Wt[-1].T
    softmax = drive[-1]  # minus the error; `rate` has the opposite sign
    minus_one = softmax.new_full((batch, 1), -1.0)
    keep, rate = 1 - ETA * GAMMA, -ETA / batch
    gate = torch.ops.aten.threshold_backward.grad_input  # the product with the slope of ReLU, in one pass

    @torch.no_grad()
    def step(x: Tensor, y: Tensor) -> None:
        ups = [x, *h]
        for k, weights in enumerate(W):
            torch.mm(ups[k], weights.T, out=h[k])
            if k in hidden:
                h[k].relu_()
        torch.softmax(h[-1], -1, out=softmax).scatter_add_(1, y.unsqueeze(1), minus_one)
        for k in reversed(hidden):
            if k < hidden[-1]:
                torch.mm(A[k + 1], Wt[k].T, out=A[k])
            torch.mm(A[k], V[k].T, out=VA[k])
            torch.mm(softmax, VA[k], out=drive[k])
            gate(drive[k], h[k], 0, grad_input=drive[k])
            torch.mm(softmax.T, h[k], out=M[k])
            torch.mm(M[k], Vt[k].T, out=VtM[k])
        for k, weights in enumerate(W):
            weights.addmm_(drive[k].T, ups[k], beta=keep, alpha=rate)
        for k in hidden:  # upwards, because the last A must be read before it changes
            V[k].addmm_(M[k].T, A[k], beta=keep, alpha=rate)
            Vt[k].addmm_(A[k].T, M[k], beta=keep, alpha=rate)
            if k < hidden[-1]:
                Wt[k].addmm_(VtM[k].T, A[k + 1], beta=keep, alpha=rate)
            else:
                Wt[k].mul_(keep).add_(VtM[k].T, alpha=rate)

    return step


def lay_out(w: Weights) -> None:
    """Store the weights as ``[pre, post]`` in memory, except those of the readout."""
    for name, tensors in w.items():
        n_wide = len(tensors) - (name == "W")
        tensors[:n_wide] = [tensor.T.contiguous().T for tensor in tensors[:n_wide]]
