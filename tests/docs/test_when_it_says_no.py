"""The page of refused inputs says what the package says."""

import re

import pytest

from tests.docs.when_it_says_no import PAGE, SECTIONS, page

pytest.importorskip("brian2")


def test_the_page_is_what_the_package_says():
    """If a message has changed on purpose: ``python -m tests.docs.when_it_says_no``."""
    assert PAGE.read_text().splitlines() == page().splitlines()


def test_every_input_is_there_once_with_its_message():
    inputs = [case.code for cases in SECTIONS.values() for case in cases]
    assert len(inputs) > 100 and len(set(inputs)) == len(inputs)
    assert len(re.findall(r"\| \w+(?:Error|Warning): `+.+?`+ \|$", PAGE.read_text(), re.M)) == len(inputs)
