"""Initial weights, named as in motifs/sal.py."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor

Weights = dict[str, list[Tensor]]


def forward_weights(layers: Sequence[int]) -> list[Tensor]:
    """Draw W[l] ``[post, pre]`` onto layer l + 1, with torch's default device and type."""
    return [_draw(post, pre) for pre, post in itertools.pairwise(layers)]


def feedback_weights(layers: Sequence[int]) -> list[Tensor]:
    """Draw one matrix ``[layer l, layer l + 1]`` for each hidden layer l."""
    return [_draw(layers[k], layers[k + 1]) for k in range(1, len(layers) - 1)]


def direct_feedback_weights(layers: Sequence[int]) -> list[Tensor]:
    """Draw one matrix ``[layer l, output]`` for each hidden layer l."""
    return [_draw(size, layers[-1]) for size in layers[1:-1]]


def sal_weights(layers: Sequence[int], n_replicas: int = 1) -> Weights:
    """Draw W[l] onto layer l + 1 and Wt[l], V[l], Vt[l] of hidden layer l + 1, with shapes as in `plain_torch.make`."""
    lead = () if n_replicas == 1 else (n_replicas,)
    hidden = layers[1:-1]
    return {
        "W": [_draw(post, pre, lead) for pre, post in itertools.pairwise(layers)],
        "Wt": [_draw(post, pre, lead) for post, pre in itertools.pairwise(layers[1:])],
        "V": [0.1 * _draw(size, size, lead) for size in hidden],
        "Vt": [0.1 * _draw(size, size, lead) for size in hidden],
    }


def _draw(post: int, pre: int, lead: tuple[int, ...] = ()) -> Tensor:
    return torch.randn(*lead, post, pre) / pre**0.5
