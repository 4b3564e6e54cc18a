"""Products of dense matrices: by the BLAS that torch was built with, or by oneDNN.

On some CPUs one of the two is much faster: on an AMD EPYC (Turin), torch's MKL keeps to AVX2 and oneDNN is up to twice
as fast. They round differently, so which of them is used is the user's choice, and not made by a stopwatch.
"""

from __future__ import annotations

import torch
from torch import Tensor

from circuitsim.errors import ParameterError

LEAST_WORK = 2**21  # multiplications from which oneDNN is worth its overhead of some microseconds


class Products:
    """By torch's BLAS; ``[R, n, k]`` times ``[R, k, m]``, for each replica."""

    def plain(self, a: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor:
        """``a b``."""
        if a.shape[0] > 1:
            return torch.bmm(a, b, out=out)
        if out is None:  # BLAS's plain product beats a batch of one
            return torch.mm(a.squeeze(0), b.squeeze(0)).unsqueeze(0)
        torch.mm(a.squeeze(0), b.squeeze(0), out=out.squeeze(0))
        return out

    def scaled(self, a: Tensor, b: Tensor, scale: float, out: Tensor | None = None) -> Tensor:
        """``scale * a b``."""
        out = a.new_empty(a.shape[0], a.shape[1], b.shape[2]) if out is None else out
        return self.add_(out, a, b, scale, 0.0)

    def add_(self, into: Tensor, a: Tensor, b: Tensor, scale: float, keep: float) -> Tensor:
        """``into <- keep * into + scale * a b``."""
        if a.shape[0] > 1:
            return into.baddbmm_(a, b, beta=keep, alpha=scale)
        into.squeeze(0).addmm_(a.squeeze(0), b.squeeze(0), beta=keep, alpha=scale)
        return into


class OneDnnProducts(Products):
    """By oneDNN where it pays: where the matrices of one replica are large enough.

    Its products are new tensors (torch has no other way to ask for them), which are then copied or added to where they
    belong: with these, a steady step does allocate.
    """

    def plain(self, a: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor:
        if not _is_worth_it(a, b):
            return super().plain(a, b, out)
        if out is None:
            out = a.new_empty(a.shape[0], a.shape[1], b.shape[2])
        for r in range(len(a)):
            out[r].copy_(_by_onednn(a[r], b[r]))
        return out

    def scaled(self, a: Tensor, b: Tensor, scale: float, out: Tensor | None = None) -> Tensor:
        return self.plain(a, b, out).mul_(scale)

    def add_(self, into: Tensor, a: Tensor, b: Tensor, scale: float, keep: float) -> Tensor:
        if not _is_worth_it(a, b):
            return super().add_(into, a, b, scale, keep)
        into.mul_(keep)
        for r in range(len(a)):
            into[r].add_(_by_onednn(a[r], b[r]), alpha=scale)
        return into


def _is_worth_it(a: Tensor, b: Tensor) -> bool:
    return a.shape[1] * a.shape[2] * b.shape[2] >= LEAST_WORK


def _by_onednn(a: Tensor, b: Tensor) -> Tensor:
    """The operation that TorchInductor lowers linear layers to on CPUs: ``x W^T``."""
    product: Tensor = torch.ops.mkldnn._linear_pointwise(a, b.T, None, "none", [], "")
    return product


BLAS = Products()


def products_of(name: str, like: Tensor) -> Products:
    """By name, for tensors such as `like`.

    Raises:
        ParameterError: an unknown name, or one that is not to be had here.
    """
    if name == "blas":
        return BLAS
    if name != "onednn":
        raise ParameterError(f"products must be 'blas' or 'onednn' (got {name!r})")
    if like.device.type != "cpu" or like.dtype != torch.float32:
        raise ParameterError(f"products 'onednn' are for float32 on the CPU (got {like.dtype} on {like.device})")
    is_built = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if not (is_built and hasattr(torch.ops.mkldnn, "_linear_pointwise")):
        raise ParameterError(f"products 'onednn' are not in this build of torch ({torch.__version__}): use 'blas'")
    return OneDnnProducts()
