"""Brian2 2.9 calls pyparsing by names that are going away; nothing that we could change."""

import logging
import warnings

import pytest


@pytest.fixture(autouse=True)
def _quiet():
    logging.getLogger("brian2").setLevel(logging.INFO)  # details of every run do not go to its log file
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
