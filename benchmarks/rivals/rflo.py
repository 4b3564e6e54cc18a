"""RFLO, a recurrent network that learns online, in plain torch with preallocated buffers and in-place changes."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from benchmarks.rivals import ETA, Step


def make(w: Mapping[str, Tensor], batch: int, tau: float) -> Step:
    """Make a step of the equations in `motifs.rflo`, a function of x ``[batch, time, input]`` and the target ``[batch,
    time, output]``, for the squared error.

    Args:
        w: the weights ``[post, pre]`` W, R, U and B; the step changes the first three in place.
        batch: the number of sequences in x.
        tau: the time constant, in time steps.
    """
    W, R, U, B = (w[name] for name in "WRUB")
    n, n_in, keep, rate = len(R), W.shape[1], 1 - 1 / tau, ETA / batch
    h, u, slope, back = (W.new_empty(batch, n) for _ in range(4))
    y = W.new_empty(batch, len(U))
    p, q = W.new_empty(batch, n, n), W.new_empty(batch, n, n_in)

    @torch.no_grad()
    def step(x: Tensor, target: Tensor) -> None:
        for state in (h, p, q):
            state.zero_()
        for t in range(x.shape[1]):
            torch.mm(x[:, t], W.T, out=u).addmm_(h, R.T).tanh_()
            torch.mul(u, u, out=slope).mul_(-1 / tau).add_(1 / tau)  # f' / tau
            p.mul_(keep).addcmul_(slope[:, :, None], h[:, None, :])
            q.mul_(keep).addcmul_(slope[:, :, None], x[:, t, None, :])
            h.mul_(keep).add_(u, alpha=1 / tau)
            torch.mm(h, U.T, out=y).neg_().add_(target[:, t])  # the error
            torch.mm(y, B.T, out=back)
            R.add_(torch.einsum("bi,bij->ij", back, p), alpha=rate)
            W.add_(torch.einsum("bi,bij->ij", back, q), alpha=rate)
            U.addmm_(y.T, h, alpha=rate)

    return step
