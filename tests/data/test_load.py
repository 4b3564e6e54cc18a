"""load_dataset: names, options and arguments that all data sets share."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from circuitsim.data import load_dataset
from circuitsim.errors import ParameterError


@pytest.mark.parametrize(
    ("name", "near"),
    [("fashion-mnist", "fashion_mnist"), ("digit", "digits"), ("Mnist", "mnist"), ("CIFAR10", "cifar10")],
)
def test_an_unknown_name_is_refused_with_the_nearest_known_one(name, near):
    known = "known: adrenalmnist3d, .*chestmnist, cifar10, .*pathmnist, .*teacher, tissuemnist, vesselmnist3d"
    with pytest.raises(ParameterError, match=rf"no data set '{name}' \({known}\); did you mean '{near}'\?"):
        load_dataset(name)


def test_an_unknown_name_like_no_other_gets_no_suggestion():
    with pytest.raises(ParameterError, match=r"vesselmnist3d\)$"):
        load_dataset("imagenet21k")


def test_an_option_of_another_data_set_is_refused():
    with pytest.raises(ParameterError, match=r"data set 'digits' has no option 'depth' \(it has none\)"):
        load_dataset("digits", depth=3)
    with pytest.raises(ParameterError, match=r"no option 'n_layers' \(it has n_features, n_hidden, .*depth\)"):
        load_dataset("teacher", n_layers=3)


def test_validation_can_be_left_out_or_sized():
    assert load_dataset("digits", validation=None).validation is None
    assert len(load_dataset("digits", validation=None).train) == 1527
    assert len(load_dataset("digits", validation=0.5).validation) == 764
    assert len(load_dataset("digits", validation=0.5).test) == 270


@pytest.mark.parametrize("validation", ["none", 1.0, -0.1])
def test_a_validation_that_is_no_fraction_is_refused(validation):
    with pytest.raises(ParameterError, match=f"validation must be .*{validation}"):
        load_dataset("digits", validation=validation)


def test_a_negative_seed_is_refused():
    with pytest.raises(ParameterError, match=r"seed must be a whole number, 0 or more \(got -1\)"):
        load_dataset("digits", seed=-1)


def test_importing_the_room_imports_none_of_the_packages_that_read_files():
    code = """
import sys, types
bare = sys.modules["circuitsim"] = types.ModuleType("circuitsim")  # without what other rooms import
bare.__path__ = [sys.argv[1]]
import circuitsim.data
print([name for name in ("torchvision", "sklearn", "medmnist", "scipy", "pooch") if name in sys.modules])
"""
    package = Path(sys.modules["circuitsim"].__file__).parent
    run = subprocess.run([sys.executable, "-c", code, package], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
