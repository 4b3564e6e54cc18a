"""Packages that only some formats need."""

from __future__ import annotations

import importlib
from typing import Any

from circuitsim.errors import CircuitError


class MissingPackage(CircuitError, ImportError):
    """A package that a file format needs is not installed."""


def needed(package: str, what: str) -> Any:
    """Import a package, which has an extra of the same name in circuitsim's setup.

    Raises:
        MissingPackage: it is not installed.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise MissingPackage(
            f"{what} needs the package {package} ({error}): pip install 'circuitsim[{package}]'"
        ) from None
