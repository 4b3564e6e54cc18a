"""Local receptive fields on images: SAL and its relatives with weights of their own at each place, beside dense SAL.

python examples/local_fields.py --dataset cifar10_jpeg --folder data --epochs 2 --seeds 3
python examples/local_fields.py --quick
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

import circuitsim as cs
import motifs
from circuitsim import plots
from support import Result, Study, datasets, versus
from support.circuits import STRONG

LOCAL, DENSE = "{}, local fields", "{}, dense"
SAL, FROZEN = "SAL", "SAL with feedback frozen"
CIRCUITS = {
    SAL: motifs.sal, "SGD": motifs.backprop, "Kolen-Pollack": motifs.kolen_pollack,
    "feedback alignment": motifs.feedback_alignment,
}  # fmt: skip
CHANNELS = 24, 48  # of the two local layers

# The best rates on the validation split (docs/results/local_fields_rates.csv); elsewhere, those of the motifs.
RATES = {
    "cifar10_jpeg": {
        LOCAL.format(SAL): 72.0, DENSE.format(SAL): 40.0, LOCAL.format(FROZEN): 24.0, LOCAL.format("SGD"): 0.3,
        LOCAL.format("Kolen-Pollack"): 0.3, LOCAL.format("feedback alignment"): 0.1,
    }
}  # fmt: skip

Shape = tuple[int, int, int]


def load(dataset: str, folder: Path | None = None) -> cs.Dataset:
    """Load a data set. To the training images of CIFAR-10, their mirror images are added."""
    data = datasets.load(dataset, folder)
    if datasets.published(dataset) != "cifar10":
        return data
    x = data.train.x
    assert isinstance(x, torch.Tensor) and isinstance(data.train.target, torch.Tensor)
    mirrored = x.view(-1, 3, 32, 32).flip(3).reshape(x.shape)
    return dataclasses.replace(data, train=cs.Split(torch.cat([x, mirrored]), data.train.target.repeat(2)))


@dataclasses.dataclass(frozen=True)
class Geometry:
    """Two layers of local fields over an image.

    Args:
        shapes: the maps, ``(channels, height, width)``, from the image up.
        radius, stride: of the fields, as in `circuitsim.Local`.
    """

    shapes: tuple[Shape, ...]
    radius: int
    stride: int

    @classmethod
    def over(cls, n_features: int) -> Geometry:
        """Fields of 5 x 5 at stride 2, which do not reach beyond the image; of 3 x 3 at stride 1 over a small image."""
        colours = 1 if math.isqrt(n_features) ** 2 == n_features else 3
        side = math.isqrt(n_features // colours)
        if colours * side**2 != n_features or side < 5:
            raise cs.ParameterError(
                f"local fields need square images of 5 x 5 pixels or more, grey or in three colours (got {n_features} "
                "features): choose another data set"
            )
        radius, stride = (2, 2) if side > 16 else (1, 1)
        shapes = [(colours, side, side)]
        for n in CHANNELS:
            side = (side - 2 * radius - 1) // stride + 1
            shapes.append((n, side, side))
        return cls(tuple(shapes), radius, stride)

    @property
    def layers(self) -> list[int]:
        """The sizes of the maps."""
        return [math.prod(shape) for shape in self.shapes]

    def onto(self, motif: cs.Motif) -> cs.Motif:
        """A two-stream circuit of these `layers` and an output, with local fields between the maps.

        The fields of Wt are those of W from the other side. V and Vt connect the neurons at the same place, where they
        are not one to one.
        """
        for k, shape in enumerate(self.shapes):
            for population in ("up", "down") if k else ("up",):
                motif = motif.replace(f"{population}{k}", shape=shape)
        fields: dict[str, Any] = {}
        for k in range(len(self.shapes)):
            last = k == len(self.shapes) - 1
            fields |= {} if last else {f"W{k}": cs.Local(self.radius, self.stride)}
            if k:
                fields |= {} if last else {f"Wt{k}": cs.ReciprocalOf(f"W{k}")}
                fields |= {f"V{k}": cs.Local(0), f"Vt{k}": cs.ReciprocalOf(f"V{k}")}
        for name, connectivity in fields.items():
            p = motif.projection(name)
            if p.tied_to is None and p.connectivity == cs.All():
                motif = motif.replace(name, connectivity=connectivity)
        return motif

    def sal(self, layers: list[int], **options: Any) -> cs.Motif:
        """SAL with local fields. The number of inputs that its rules divide by is that of a field."""
        motif = self.onto(motifs.sal(layers, **options))
        n_hidden = len(self.shapes) - 1
        for k, (channels, *_) in enumerate(self.shapes):
            seen = (2 * self.radius + 1) ** 2 * channels
            if k < n_hidden:
                motif = _with(motif, f"W{k}", fan_in=n_hidden * seen)
            if k:
                motif = _with(motif, f"Wt{k}", scale=channels * math.sqrt(seen if k < n_hidden else layers[k]))
        return motif


def _with(motif: cs.Motif, name: str, **parameters: float) -> cs.Motif:
    rule = motif.projection(name).rule
    assert rule is not None
    return motif.replace(name, rule=cs.Rule(rule.expression, **{**rule.parameters, **parameters}))


class LocalFields(Study):
    """Compare SAL and its relatives, with two layers of local receptive fields, with dense SAL on images.

    Every neuron has weights of its own (no weight sharing), and in SAL and Kolen-Pollack none are copied (no weight
    transport). On CIFAR-10, the circuits also learn from the mirror images, which count as further training samples.

    Source: after Liao et al. (2024), arXiv 2412.20018, Table 1; the local fields are ours.
    """

    title = "Local receptive fields"
    batch_size = 100
    load = staticmethod(load)

    def motifs(self) -> dict[str, cs.Motif]:
        n_in, *hidden, n_out = self.setup.layers
        geometry = Geometry.over(n_in)
        layers = [*geometry.layers, n_out]
        made: dict[str, Callable[..., cs.Motif]] = {LOCAL.format(SAL): lambda **rate: geometry.sal(layers, **rate)}
        made[DENSE.format(SAL)] = lambda **rate: motifs.sal([n_in, *hidden, n_out], **rate)
        strong = {"gain_V": STRONG, "gain_Wt": STRONG}
        made[LOCAL.format(FROZEN)] = lambda **rate: motifs.frozen_feedback(geometry.sal(layers, **strong, **rate))
        for label, make in CIRCUITS.items():
            made.setdefault(LOCAL.format(label), lambda make=make, **rate: geometry.onto(make(layers, **rate)))
        rates = RATES.get(self.setup.dataset, {})
        return {label: make(**({"eta": rates[label]} if label in rates else {})) for label, make in made.items()}

    def test(self, label: str) -> Any:
        """The test accuracy of each seed, in percent."""
        return 100 * self.results[label].final(self.setup.metric, self.setup.last_split)

    def rows(self, label: str, result: Result) -> Iterable[dict[str, Any]]:
        dense = DENSE.format(SAL)
        yield {
            **result.percent("train", "validation", "test", metric=self.setup.metric),
            "test, minus dense SAL's": "" if label == dense else versus(self.test(label), self.test(dense)),
        }

    def configuration(self) -> Mapping[str, Any]:
        return {"eta": RATES.get(self.setup.dataset, {})}

    def figures(self) -> Mapping[str, Any]:
        found: dict[str, dict[str, Any]] = {}
        for label in self.results:
            circuit, kind = label.split(", ")
            found.setdefault(circuit, {})[kind] = self.test(label)
        return {"accuracy": plots.dots({f"test {self.setup.metric}, %": found}), **self.validation_curves()}


if __name__ == "__main__":
    LocalFields.main()
