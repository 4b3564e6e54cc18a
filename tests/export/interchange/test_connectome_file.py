"""A connectome goes into a file; networkx, pandas and the package read it back as it was."""

import json
import re

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import circuitsim as cs
from motifs import sal
from tests.test_fuzz import rich_motif


@pytest.fixture(params=["sal", "rich"])
def circuit(request):
    return cs.compile(sal([4, 3, 3, 2]) if request.param == "sal" else rich_motif(), replicas=2, seed=3, device="cpu")


@pytest.mark.parametrize("suffix", [".graphml", ".json"])
def test_a_connectome_comes_back_equal_to_the_last_bit(circuit, suffix, tmp_path):
    connectome = circuit.connectome(replica=1)
    cs.write_connectome(connectome, tmp_path / f"c{suffix}")
    read = cs.read_connectome(tmp_path / f"c{suffix}")
    assert nx.utils.graphs_equal(read, connectome)
    assert sum(data["weight"] for *_, data in read.edges(data=True)) != 0


def test_networkx_reads_the_node_link_file_as_the_same_graph_but_for_one_name(circuit, tmp_path):
    cs.write_connectome(circuit.connectome(), tmp_path / "c.json")
    read = nx.node_link_graph(json.loads((tmp_path / "c.json").read_text()), edges="edges")
    for *_, attributes in read.edges(data=True):
        attributes["target"] = attributes.pop("compartment")
    assert nx.utils.graphs_equal(read, circuit.connectome())


def test_networkx_reads_the_graphml_file_with_neurons_by_name(tmp_path):
    circuit = cs.compile(sal([4, 3, 3, 2]), device="cpu")
    cs.write_connectome(circuit.connectome(), tmp_path / "c.graphml")
    read = nx.read_graphml(tmp_path / "c.graphml", force_multigraph=True)
    assert read.number_of_nodes() == 4 + 3 + 3 + 2 + 3 + 3 + 2
    found = read.edges["up0[3]", "up1[1]", "W0"]["weight"]
    assert found == float(circuit.weights("W0")[0, 1, 3]) and read.nodes["down2[1]"]["stream"] == "descending"


def test_pandas_reads_the_edge_list_with_every_weight(circuit, tmp_path):
    cs.write_connectome(circuit.connectome(replica=1), tmp_path / "c.csv")
    table = pd.read_csv(tmp_path / "c.csv", converters={"weight": float})
    assert list(table)[:6] == ["projection", "pre_population", "pre", "post_population", "post", "weight"]
    for p in circuit.motif.projections:
        rows = table[table.projection == p.name]
        dense = np.zeros((circuit.motif.population(p.post).size, circuit.motif.population(p.pre).size))
        dense[rows.post, rows.pre] = rows.weight
        np.testing.assert_array_equal(dense, circuit.weights(p.name)[1].to_dense().numpy().astype(float))
        assert set(rows.target) == {p.target}
    read = cs.read_connectome(tmp_path / "c.csv")
    assert dict(read.edges) == dict(circuit.connectome(replica=1).edges)


def test_a_threshold_leaves_out_weak_synapses(tmp_path):
    circuit = cs.compile(sal([4, 3, 3, 2]), device="cpu")
    weights = np.abs(np.concatenate([circuit.weights(p.name)[0].numpy().ravel() for p in circuit.motif.projections]))
    cs.write_connectome(circuit.connectome(threshold=0.5), tmp_path / "c.csv")
    assert 0 < len(pd.read_csv(tmp_path / "c.csv")) == (weights >= 0.5).sum()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "projection,pre\nW0,1\n", "column 'pre_population' is missing .there are: projection, pre"),
        ("b.csv", "projection,pre_population,pre,post_population,post,weight\nW,x,one,y,0,1\n", "'pre'.*'one'"),
        ("c.csv", "projection,pre_population,pre,post_population,post,weight\nW,x,-1,y,0,1\n", r"\('x', -1\)"),
        ("d.csv", "projection,pre_population,pre,post_population,post,weight\nW,x,1,y,0,inf\n", "number .got inf"),
        ("e.csv", "", "No columns"),
        ("f.json", '{"nodes": [{"id": ["x", 0]}], "edges": [{"source": ["x", 0], "target": ["x", 0], "key": "W"}], '
         '"directed": true, "multigraph": true, "graph": {}}', "edge 'W' .*finite number .got None"),
        ("g.json", '{"nodes": [{"id": "x"}], "edges": [], "directed": true, "multigraph": true, "graph": {}}',
         "'x' is not"),
        ("h.json", '{"nodes": [], "edges": [], "directed": false, "graph": {}}', "not a directed multigraph"),
        ("i.graphml", '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="directed">'
         '<node id="n7"/></graph></graphml>', "node 'n7' lacks population or index"),
        ("j.graphml", "not xml", "syntax error"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_connectome_is_told_by_name_and_value(name, content, message, tmp_path):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(cs.ArchiveError, match=f"^{re.escape(str(path))}: not a connectome: .*{message}"):
        cs.read_connectome(path)


def test_a_graph_of_another_form_is_refused_before_anything_is_written(tmp_path):
    graph = nx.MultiDiGraph([(("x", 0), ("y", 0), "W")])
    with pytest.raises(cs.ParameterError, match="edge 'W' from .'x', 0. to .'y', 0.: weight must be a finite number"):
        cs.write_connectome(graph, tmp_path / "c.csv")
    with pytest.raises(cs.ParameterError, match="node 'up0' is not .population, index."):
        cs.write_connectome(sal([4, 3, 2]).graph, tmp_path / "c.csv")
    with pytest.raises(cs.ParameterError, match="must end with one of .graphml, .json, .csv"):
        cs.write_connectome(graph, tmp_path / "c.gexf")
    assert not list(tmp_path.iterdir())
