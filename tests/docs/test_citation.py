"""CITATION.cff says what the format asks for, and the version that the package has."""

from pathlib import Path

import yaml  # which myst-nb brings along

import circuitsim as cs

CITATION = yaml.safe_load((Path(__file__).parents[2] / "CITATION.cff").read_text())


def test_required_keys_are_there():
    assert {"cff-version", "message", "title", "authors"} <= set(CITATION)
    assert all(author.get("name") or author.get("family-names") for author in CITATION["authors"])


def test_it_is_of_this_version_and_cites_the_paper():
    assert CITATION["version"] == cs.__version__ and CITATION["license"] == "MIT"
    (paper,) = CITATION["references"]
    assert paper["url"] == "https://arxiv.org/abs/2412.20018" and len(paper["authors"]) == 6
