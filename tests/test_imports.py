"""What `import circuitsim` brings with it, and what waits until it is asked for."""

import importlib
import pkgutil
import subprocess
import sys
import types

import pytest

import circuitsim as cs

LATE = ("torch", "sklearn", "pandas", "matplotlib", "torchvision", "brian2", "networkx", "scipy", "motifs")


def test_an_import_leaves_slow_libraries_to_those_who_need_them():
    code = f"import sys, circuitsim; print([name for name in {LATE} if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_every_public_name_is_there():
    assert [name for name in cs.__all__ if not hasattr(cs, name)] == []
    assert set(cs.__all__) | {"plots", "analysis", "export"} <= set(dir(cs))
    assert callable(cs.plots.curves) and callable(cs.analysis.square_census) and cs.export.Spiking
    with pytest.raises(AttributeError, match="module 'circuitsim' has no attribute 'plot'"):
        cs.plot  # noqa: B018


def test_no_function_hides_its_module():
    hidden = []
    for package in [cs, *_packages(cs)]:
        for module in pkgutil.iter_modules(package.__path__):
            found = getattr(package, module.name, None)
            if found is not None and not isinstance(found, types.ModuleType):
                hidden.append(f"{package.__name__}.{module.name}")
    assert hidden == []


def _packages(root: types.ModuleType) -> list[types.ModuleType]:
    walked = pkgutil.walk_packages(root.__path__, f"{root.__name__}.")
    return [importlib.import_module(found.name) for found in walked if found.ispkg]
