"""Sizes and durations that suit a data set, where the user names none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """What suits a data set: sizes of hidden populations, samples per step, passes over the data."""

    hidden: tuple[int, ...]
    batch_size: int
    epochs: int


PAPER = Setting((200, 200, 200), 256, 20)
SETTINGS = {"digits": Setting((32, 32), 64, 40), "teacher": Setting((32, 32), 64, 40)}


def setting_for(dataset: str) -> Setting:
    """The setting of a data set; that of Liao et al. (2024), arXiv 2412.20018, where it has none of its own."""
    return SETTINGS.get(dataset, PAPER)
