"""A motif goes into a file and comes back equal; networkx reads the file too; a bad file is told by name."""

import json
import re

import networkx as nx
import pytest

import circuitsim as cs
from motifs import bcm, kolen_pollack, paper_sal, reward_modulated, reward_stdp, weight_mirror
from tests.motif.circuits import spacious
from tests.plots.figures import several_inputs
from tests.test_fuzz import rich_motif

MOTIFS = {
    "sal": paper_sal([5, 4, 4, 3], feedback=[6, 4]), "kolen_pollack": kolen_pollack([5, 4, 3]), "bcm": bcm([5, 3]),
    "reward": reward_modulated([5, 4, 3]), "weight_mirror": weight_mirror([5, 4, 3]), "rich": rich_motif(),
    "several": several_inputs(), "space": spacious(), "stdp": reward_stdp([5, 3]),
}  # fmt: skip


@pytest.mark.parametrize("suffix", [".graphml", ".json"])
@pytest.mark.parametrize("name", MOTIFS)
def test_a_motif_comes_back_equal(name, suffix, tmp_path):
    motif, path = MOTIFS[name], tmp_path / f"motif{suffix}"
    cs.write_motif(motif, path)
    assert cs.read_motif(path) == motif
    cs.write_motif(cs.read_motif(path), tmp_path / f"again{suffix}")
    assert cs.read_motif(tmp_path / f"again{suffix}") == motif


def test_networkx_finds_the_circuit_in_both_files(tmp_path):
    motif = MOTIFS["sal"]
    expected = {(p.pre, p.post, p.name, p.compartment) for p in motif.projections}
    cs.write_motif(motif, tmp_path / "m.graphml")
    read = nx.read_graphml(tmp_path / "m.graphml", force_multigraph=True)
    assert {(*edge[:3], edge[3]["compartment"]) for edge in read.edges(keys=True, data=True)} == expected
    assert {name: read.nodes[name]["size"] for name in read} == {p.name: p.size for p in motif.populations}
    rule = json.loads(read.edges["down1", "up1", "V1"]["rule_json"])
    assert rule["parameters"]["gamma"] == motif.projection("V1").rule.parameters["gamma"]
    cs.write_motif(motif, tmp_path / "m.json")
    read = nx.node_link_graph(json.loads((tmp_path / "m.json").read_text()), edges="edges")
    assert {(*edge[:3], edge[3]["compartment"]) for edge in read.edges(keys=True, data=True)} == expected


def test_a_plain_file_of_d3_declares_a_motif(tmp_path):
    """No word on directions and parallel edges, `links`, and sizes that a program has written as floats."""
    nodes = [{"id": "x", "size": 3.0}, {"id": "y", "size": 2}]
    links = [{"source": "x", "target": "y", "projection": "W"}, {"source": "x", "target": "y", "key": "V"}]
    (tmp_path / "m.json").write_text(json.dumps({"nodes": nodes, "links": links}))
    motif = cs.read_motif(tmp_path / "m.json")
    assert [p.name for p in motif.projections] == ["W", "V"] and motif.population("x").size == 3
    (tmp_path / "m.json").write_text(json.dumps({"nodes": nodes, "links": links * 2}))
    with pytest.raises(cs.ArchiveError, match="not a motif: edge 'W' from 'x' to 'y' occurs 2 times, and 1 others are"):
        cs.read_motif(tmp_path / "m.json")


def test_what_to_json_wrote_is_read_too(tmp_path):
    (tmp_path / "m.json").write_text(MOTIFS["rich"].to_json())
    assert cs.read_motif(tmp_path / "m.json") == MOTIFS["rich"]


@pytest.mark.parametrize("name", ["ünïcode ☃", " spaces ", "two\nlines", "bell \x07", "", '<&">'])
@pytest.mark.parametrize("suffix", [".graphml", ".json"])
def test_any_name_of_a_motif_survives(name, suffix, tmp_path):
    motif = MOTIFS["bcm"].renamed(name or "motif")
    cs.write_motif(motif, tmp_path / f"m{suffix}")
    assert cs.read_motif(tmp_path / f"m{suffix}") == motif


def changed(tmp_path, suffix, old, new):
    """The file of a motif with one thing changed by hand."""
    path = tmp_path / f"forged{suffix}"
    cs.write_motif(MOTIFS["sal"], path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


@pytest.mark.parametrize(
    ("suffix", "old", "new", "message"),
    [
        (".json", '"size": 5', '"size": "five"', "population 'up0'.*'five'"),
        (".json", '"nodes"', '"knots"', "an object with nodes and edges"),
        (".json", '"type": "Rule"', '"type": "Pickle"', "projection '.*unknown type 'Pickle'"),
        (".json", '"stream": "ascending"', '"colour": "red"', "unknown attribute 'colour'"),
        (".json", "eta *", "import os; eta *", "rule"),
        (".json", '"multigraph": true', '"multigraph": false', "directed multigraph"),
        (".json", "{", "[", "Expecting|delimiter"),
        (".graphml", ">5<", ">five<", "five"),
        (".graphml", "</graph>", "", "mismatched tag"),
        (".graphml", '"type": "Objective"', '"type": "Pickle"', "unknown type 'Pickle'"),
        (".graphml", "[{", "{", "Expecting|delimiter|Extra data"),
    ],
)
def test_a_forged_file_is_told_by_name_and_value(suffix, old, new, message, tmp_path):
    path = changed(tmp_path, suffix, old, new)
    with pytest.raises(cs.ArchiveError, match=f"(?s)^{re.escape(str(path))}: not a motif: .*({message})"):
        cs.read_motif(path)


def test_a_path_that_cannot_serve_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(cs.ParameterError, match=r"'motif.gexf' must end with one of .graphml, .json"):
        cs.write_motif(MOTIFS["sal"], "motif.gexf")
    with pytest.raises(cs.ArchiveError, match="none.json: cannot be read .No such file"):
        cs.read_motif(tmp_path / "none.json")
    faulty = cs.Motif("faulty")
    faulty.connect("x", "y", name="W")
    with pytest.raises(cs.MotifError, match="'x'"):
        cs.write_motif(faulty, tmp_path / "faulty.json")
    assert not list(tmp_path.iterdir())
