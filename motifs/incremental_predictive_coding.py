"""Incremental predictive coding: weights change at every iteration of the inference, without waiting for its end."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import circuitsim as cs
from motifs.predictive_coding import predictive_coding


def incremental_predictive_coding(
    layers: Sequence[int],
    *,
    eta: float = 0.05,
    iterations: int = 6,
    name: str = "incremental_predictive_coding",
    **options: Any,
) -> cs.Motif:
    """`motifs.predictive_coding` whose weights change in each iteration, by the equations that are given there::

        repeat:    v_l <- v_l + rate (f'(v_l) W_l^T e_{l+1} - e_l)        W_l <- W_l + eta e_{l+1} f(v_l)^T

    Args:
        layers: the sizes of the ascending populations, including input and output.
        eta: the learning rate of an iteration.
        iterations: how many times values and weights move for one batch.
        name: the name of the motif.
        options: further arguments of `motifs.predictive_coding`.
    Returns:
        The motif.
    Example:
        >>> from motifs import incremental_predictive_coding
        >>> [(phase.name, phase.apply) for phase in incremental_predictive_coding([64, 32, 10]).phases]
        [('predict', 'phase'), ('infer', 'iteration')]

    Source: Salvatori, Song, Yordanov, Millidge, Sha, Emde, Xu, Bogacz & Lukasiewicz (2022), arXiv 2212.00720
    (ICLR 2024). As there, values and weights move at once; here the values make their first move alone.
    """
    waiting, motif = predictive_coding(layers, eta=eta, iterations=iterations, **options), cs.Motif(name)
    for value in waiting.values:
        if isinstance(value, cs.Phase) and value.name == "infer":
            value = dataclasses.replace(value, apply="iteration")
        if isinstance(value, cs.Projection) and value.name[0] in "BD":  # errors go down before the weights change
            value = dataclasses.replace(value, delay=int(value.name[0] == "D"))
        motif.add(value)
    return motif
