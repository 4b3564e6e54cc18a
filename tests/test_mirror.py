"""Tests lie where the code lies: every room of the package has a folder of the same name here."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = [*sorted(path.parent.name for path in (ROOT / "circuitsim").glob("*/__init__.py")), "motifs", "examples"]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_its_tests(room):
    assert list((ROOT / "tests" / room).glob("test_*.py"))
