"""Compare backpropagation and related motifs with the same algorithms as layers for torch.autograd."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

import circuitsim as cs
import motifs
from benchmarks.cases.sal_steps import BATCH, calls
from benchmarks.circuits import OURS, random_batch, size_of
from benchmarks.rivals import ETA, GAMMA, Step, autograd_sgd, biotorch_layers
from benchmarks.rivals.weights import direct_feedback_weights, feedback_weights, forward_weights
from benchmarks.rows import Row, Target, rows_of
from benchmarks.timing import interleaved

LAYERS = (784, 200, 200, 200, 10)
AT_MOST = 0.95


@dataclass(frozen=True)
class Relative:
    """One algorithm and its rival.

    Args:
        motif: makes the motif.
        rival: makes the rival's step from the forward weights and, if there are any, the feedback weights.
        feedback: draws the feedback weights, or None.
        back: the name of the motif's feedback projections, without the layer.
    """

    motif: Callable[..., cs.Motif]
    rival: Callable[..., Step]
    feedback: Callable[[Sequence[int]], list[Tensor]] | None = None
    back: str = ""

    def circuit(self, layers: Sequence[int], device: str = "auto") -> cs.Circuit:
        """Compile the motif at the rates of the rivals."""
        return cs.compile(self.motif(layers, eta=ETA, gamma=GAMMA), device=device)

    def weights(self, layers: Sequence[int]) -> list[list[Tensor]]:
        """Return the weights from which the rival is made."""
        return [forward_weights(layers), *([] if self.feedback is None else [self.feedback(layers)])]


RELATIVES = {
    "backprop": Relative(motifs.backprop, autograd_sgd.make),
    "feedback-alignment": Relative(
        motifs.feedback_alignment, biotorch_layers.feedback_alignment, feedback_weights, "Wt"
    ),
    "kolen-pollack": Relative(motifs.kolen_pollack, biotorch_layers.kolen_pollack, feedback_weights, "Wt"),
    "direct-feedback-alignment": Relative(
        motifs.direct_feedback_alignment, biotorch_layers.direct_feedback_alignment, direct_feedback_weights, "V"
    ),
}


def time_relative(name: str, rounds: int, device: str, layers: Sequence[int] = LAYERS, batch: int = BATCH) -> list[Row]:
    """Time a step of circuitsim and of autograd.

    Args:
        name: a name in `RELATIVES`.
        rounds, device: as in `benchmarks.bench`.
        layers, batch: the layer sizes and the batch size.
    """
    relative = RELATIVES[name]
    circuit = relative.circuit(layers, device)
    x, y = random_batch(circuit, layers, batch)
    with torch.device(circuit.device):
        steps = {OURS: circuit.step, "autograd": relative.rival(*relative.weights(layers))}
    timings = interleaved(calls(steps, x, y), rounds)
    return rows_of(name, size_of(layers, batch), timings, [Target(OURS, "autograd", AT_MOST)])


CASES = {name: functools.partial(time_relative, name) for name in RELATIVES}
