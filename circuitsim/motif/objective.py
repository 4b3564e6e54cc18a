"""Objectives turn an output into an error."""

from __future__ import annotations

from dataclasses import dataclass

from circuitsim.motif.value import Value

LOSSES = ("cross_entropy", "mse", "bce")


@dataclass(frozen=True, eq=False)
class Objective(Value):
    """The population `error` is driven by minus the gradient of each sample's loss at the population `output`.

    The losses are:

    - "cross_entropy": ``-log softmax(y)[target]``, target: class index; minus gradient ``onehot - softmax(y)``
    - "mse": ``|y - target|^2 / 2``, target: real vector; minus gradient ``target - y``
    - "bce": sum over labels of the logistic loss, target: 0/1 vector; minus gradient ``target - sigmoid(y)``

    Args:
        output, error: the names of two populations of equal size.
        loss: one of the above.
        shuffled: whether each sample gets the error of its neighbour in the batch. In this control the error keeps
            its statistics but loses its meaning.
    """

    name_fields = ("output", "error")

    output: str
    error: str
    loss: str = "cross_entropy"
    shuffled: bool = False
