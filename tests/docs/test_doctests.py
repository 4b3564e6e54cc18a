"""Every example in a docstring runs and prints what it says."""

import doctest
import importlib
import pkgutil

import pytest

import circuitsim
import motifs

MODULES = sorted(
    module.name
    for package in (circuitsim, motifs)
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_run_as_printed(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_most_rooms_have_examples():
    """Else the test above would pass by finding none."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = [name for name in MODULES if any(test.examples for test in finder.find(importlib.import_module(name)))]
    assert len(found) >= 30
