"""Property tests draw the same examples every time, so that a failure is there to be seen again."""

import gc
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run side by side: more threads than cores slow them all down

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "circuitsim",
    deadline=None,  # the first example pays for imports
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
settings.load_profile("circuitsim")

TESTS = Path(__file__).parent
QUICK = {"rules", "motif", "plan", "engine"}  # -m quick: from a declaration to a step


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.relative_to(TESTS).parts[0] in QUICK and not item.get_closest_marker("slow"):
            item.add_marker("quick")


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """What imports make stays, so no garbage is sought among it: not while they run, nor in each of Brian2's runs."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()
