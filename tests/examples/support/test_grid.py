"""The grid: each condition differs from its base in one factor, and is compared with its own controls."""

from dataclasses import replace

import pytest
import torch

import circuitsim as cs
import motifs
from support.grid import BASES, Scaled, whole_grid


def test_each_condition_changes_one_factor_and_is_compared_with_its_own_controls():
    grid = {cell.name: cell for cell in whole_grid()}
    assert len(grid) == len(whole_grid())
    base = grid["digits/base/SAL"]
    assert len(base.hidden) == 3 and base.schedule is None
    for name, cell in grid.items():
        start = next(found for found in BASES if found.dataset == cell.dataset)
        changed = {key for key, value in vars(cell).items() if value != vars(start)[key]} - {"condition", "circuit"}
        assert len(changed) == (cell.condition != "base"), name
        assert cell.beside("SGD") in grid and cell.beside("frozen") in grid
    assert grid["digits/batch 16/SAL"].beside("SGD") == "digits/batch 16/SGD"
    assert grid["digits/width 16/SAL"].beside("SGD") == "digits/width 16/SGD"
    assert grid["digits/inputs 10/SAL"].beside("SGD") == "digits/base/SGD"
    wide = grid["digits/stream 2/SAL"].motif([64, 32, 32, 32, 10])
    assert sorted(p.size for p in wide.populations if p.stream == "descending") == [10, 64, 64, 64]
    assert motifs.sal([4, 3, 2]).projection("W0").rule.parameters["eta"] * 1.5 == pytest.approx(
        replace(base, eta=1.5).motif([4, 3, 2]).projection("W0").rule.parameters["eta"]
    )


def test_inputs_are_scaled_after_standardising():
    for name, split in Scaled(10.0)("digits").splits.items():
        assert torch.equal(split.x, 10 * cs.load_dataset("digits").splits[name].x)
