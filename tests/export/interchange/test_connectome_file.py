"""A connectome goes into a file; networkx, pandas and the package read it back as it was."""

import json
import re
from xml.etree import ElementTree

import igraph
import networkx as nx
import numpy as np
import pandas as pd
import pytest

import circuitsim as cs
from motifs import paper_sal
from tests.test_fuzz import rich_motif


@pytest.fixture(params=["sal", "rich"])
def circuit(request):
    return cs.compile(
        paper_sal([4, 3, 3, 2]) if request.param == "sal" else rich_motif(), replicas=2, seed=3, device="cpu"
    )


@pytest.mark.parametrize("suffix", [".graphml", ".json"])
def test_a_connectome_comes_back_equal_to_the_last_bit(circuit, suffix, tmp_path):
    connectome = circuit.connectome(replica=1)
    cs.write_connectome(connectome, tmp_path / f"c{suffix}")
    read = cs.read_connectome(tmp_path / f"c{suffix}")
    assert nx.utils.graphs_equal(read, connectome)
    assert sum(data["weight"] for *_, data in read.edges(data=True)) != 0


def test_networkx_reads_the_node_link_file_as_the_same_graph(circuit, tmp_path):
    cs.write_connectome(circuit.connectome(), tmp_path / "c.json")
    read = nx.node_link_graph(json.loads((tmp_path / "c.json").read_text()), edges="edges")
    assert nx.utils.graphs_equal(read, circuit.connectome())


def test_networkx_reads_the_graphml_file_with_neurons_by_name(tmp_path):
    circuit = cs.compile(paper_sal([4, 3, 3, 2]), device="cpu")
    cs.write_connectome(circuit.connectome(), tmp_path / "c.graphml")
    read = nx.read_graphml(tmp_path / "c.graphml", force_multigraph=True)
    assert read.number_of_nodes() == 4 + 3 + 3 + 2 + 3 + 3 + 2
    (found,) = [a["weight"] for a in read.get_edge_data("up0[3]", "up1[1]").values() if a["projection"] == "W0"]
    assert found == float(circuit.weights("W0")[0, 1, 3]) and read.nodes["down2[1]"]["stream"] == "descending"


def by_id(path):
    """Gephi keeps the first of all edges with one id; the sum of its weights."""
    root = ElementTree.parse(path).getroot()
    (weight,) = [key.get("id") for key in root.iterfind("{*}key") if key.get("attr.name") == "weight"]
    kept = {}
    for edge in root.iterfind(".//{*}edge"):
        kept.setdefault(edge.get("id"), float(edge.find(f"{{*}}data[@key='{weight}']").text))
    return kept


def test_every_synapse_has_an_id_of_its_own(circuit, tmp_path):
    connectome = circuit.connectome(replica=1)
    cs.write_connectome(connectome, tmp_path / "c.graphml")
    kept = by_id(tmp_path / "c.graphml")
    assert len(kept) == connectome.number_of_edges() > 20
    assert sum(kept.values()) == pytest.approx(sum(w for *_, w in connectome.edges(data="weight")), rel=1e-12)


@pytest.mark.parametrize("kind", ["connectome", "motif"])
def test_what_igraph_has_saved_is_read_back_equal(kind, circuit, tmp_path):
    write, read = (cs.write_motif, cs.read_motif) if kind == "motif" else (cs.write_connectome, cs.read_connectome)
    given = circuit.motif if kind == "motif" else circuit.connectome(replica=1)
    if kind == "connectome":  # attributes of mixed types, and such as only some nodes have
        given.nodes["up0", 0].update(x=1, note="first", tags=["a"])
        given.nodes["up0", 1].update(x=0.5, note=3)
        for *_, attributes in given.edges(data=True):
            attributes["weight"] = round(attributes["weight"], 9)  # igraph writes 15 digits
    write(given, tmp_path / "c.graphml")
    theirs = igraph.Graph.Read_GraphML(str(tmp_path / "c.graphml"))
    assert len(theirs.es) == (len(given.projections) if kind == "motif" else given.number_of_edges())
    theirs.write_graphml(str(tmp_path / "again.graphml"))
    found = read(tmp_path / "again.graphml")
    assert found == given if kind == "motif" else nx.utils.graphs_equal(found, given)


@pytest.mark.parametrize("kind", ["connectome", "motif"])
def test_a_program_may_rename_nodes_and_edges(kind, circuit, tmp_path):
    """As yEd does: nodes become n0, n1, ..., and edges e0, e1, ..."""
    write, read = (cs.write_motif, cs.read_motif) if kind == "motif" else (cs.write_connectome, cs.read_connectome)
    path = tmp_path / "c.graphml"
    write(circuit.motif if kind == "motif" else circuit.connectome(), path)
    before, tree = read(path), ElementTree.parse(path)
    names = {node.get("id"): f"n{k}" for k, node in enumerate(tree.iterfind(".//{*}node"))}
    for node in tree.iterfind(".//{*}node"):
        node.set("id", names[node.get("id")])
    for k, edge in enumerate(tree.iterfind(".//{*}edge")):
        edge.attrib.update(id=f"e{k}", source=names[edge.get("source")], target=names[edge.get("target")])
    tree.write(path)
    assert read(path) == before if kind == "motif" else nx.utils.graphs_equal(read(path), before)


def test_pandas_reads_the_edge_list_with_every_weight(circuit, tmp_path):
    cs.write_connectome(circuit.connectome(replica=1), tmp_path / "c.csv")
    table = pd.read_csv(tmp_path / "c.csv", converters={"weight": float})
    assert list(table)[:6] == ["projection", "pre_population", "pre", "post_population", "post", "weight"]
    for p in circuit.motif.projections:
        rows = table[table.projection == p.name]
        dense = np.zeros((circuit.motif.population(p.post).size, circuit.motif.population(p.pre).size))
        dense[rows.post, rows.pre] = rows.weight
        np.testing.assert_array_equal(dense, circuit.weights(p.name)[1].to_dense().numpy().astype(float))
        assert set(rows.compartment) == {p.compartment}
    read = cs.read_connectome(tmp_path / "c.csv")
    assert dict(read.edges) == dict(circuit.connectome(replica=1).edges)


def test_a_threshold_leaves_out_weak_synapses(tmp_path):
    circuit = cs.compile(paper_sal([4, 3, 3, 2]), device="cpu")
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
        ("f.csv", "projection,pre_population,pre,post_population,post,weight\nW,x,0,y,1,1,9,9\n", "1 has 8 entries"),
        (
            "g.csv",
            "projection,pre_population,pre,post_population,post,weight,compartment\nW,x,0,y,1,2.5,soma\nW,x,2,y,1,-0",
            "row 2 has 6 entries, but there are 7 columns",
        ),
        ("f.json", '{"nodes": [{"id": ["x", 0]}], "edges": [{"source": ["x", 0], "target": ["x", 0], "key": "W"}], '
         '"directed": true, "multigraph": true, "graph": {}}', "edge 'W' .*finite number .got None"),
        ("g.json", '{"nodes": [{"id": "x"}], "edges": [], "directed": true, "multigraph": true, "graph": {}}',
         "'x' is not"),
        ("h.json", '{"nodes": [], "edges": [], "directed": false, "graph": {}}', "it must be a directed multigraph"),
        ("i.graphml", '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="directed">'
         '<node id="n7"/></graph></graphml>', "node 'n7' lacks population or index"),
        ("j.graphml", "not xml", "syntax error"),
        ("k.json", '{"nodes": [{"id": ["x", 0]}], "links": [{"source": ["x", 0], "target": ["x", 7], "key": "W"}]}',
         r"ends at .'x', 7., which is not among the nodes"),
        ("l.json", '{"nodes": [{"id": ["x", 0]}, {"id": ["x", 0]}], "edges": []}', "node ..x., 0. is there twice"),
        ("m.json", '{"nodes": [{"name": "x"}], "edges": []}', "a node has no id .it has: name"),
        ("n.json", '{"nodes": [], "edges": [], "links": []}', "nodes and edges, or links"),
        ("o.json", '{"nodes": {}, "edges": []}', "nodes must be a list of objects"),
        ("p.json", '{"nodes": [{"id": ["x", 0]}], "edges": [{"source": ["x", 0], "target": ["x", 0], "key": 0}]}',
         r"edge from .'x', 0. to .'x', 0.: its projection must be a name .got 0"),
        ("q.json", '{"nodes": [{"id": ["x", 1.5]}], "edges": []}', r"'x', 1.5. is not .population, index"),
        ("r.json", '{"nodes": [{"id": ["x", 0], "population": "y"}], "edges": []}', "'population' is 'y'"),
        ("s.csv", "projection,pre_population,pre,post_population,post,weight\nW,x,1,y,0,\n",
         "row 1: column 'weight' must hold a number .got ''"),
        ("t.graphml", '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="directed">'
         '<node id="a"/><edge source="a" target="b"/></graph></graphml>', "ends at 'b', which is not among the nodes"),
        ("u.graphml", '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="directed">'
         '<node id="a"/><node id="a"/></graph></graphml>', "node 'a' is there twice"),
        ("v.graphml", '<!DOCTYPE g [<!ENTITY a "aaaaaaaaaa">' + "".join(
            f'<!ENTITY {b} "{f"&{a};" * 20}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
         ) + "]><graphml>&i;</graphml>", "limit on input amplification"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_connectome_is_told_by_name_and_value(name, content, message, tmp_path):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(cs.ArchiveError, match=f"^{re.escape(str(path))}: not a connectome: .*{message}"):
        cs.read_connectome(path)


HEADER = "projection,pre_population,pre,post_population,post,weight,compartment,delay\n"
REPEATED = {
    ".csv": HEADER + "W,x,0,y,1,0.25,soma,\nV,x,0,y,1,3,soma,\nW,x,0,y,1,0.5,soma,\nW,x,0,y,1,1,soma,\n",
    ".json": json.dumps({
        "nodes": [{"id": ["x", 0]}, {"id": ["y", 1.0]}],
        "links": [{"source": ["x", 0], "target": ["y", 1], "key": name, "weight": weight}
                  for name, weight in (("W", 0.25), ("V", 3), ("W", 0.5), ("W", 1))],
    }),
    ".graphml": '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
    '<key id="p" for="node" attr.name="population" attr.type="string"/>'
    '<key id="i" for="node" attr.name="index" attr.type="double"><default>1.0</default></key>'
    '<key id="w" for="edge" attr.name="weight" attr.type="double"><default>1</default></key>'
    '<graph edgedefault="directed"><node id="a"><data key="p">x</data><data key="i">0</data></node>'
    '<node id="b"><data key="p">y</data></node><edge source="a" target="b" id="W"><data key="w">0.25</data></edge>'
    '<edge source="a" target="b" id="V"><data key="w">3</data></edge><edge source="a" target="b" id="W"><data key="w">'
    '0.5</data></edge><edge source="a" target="b" id="W"/></graph></graphml>',
}  # fmt: skip


@pytest.mark.parametrize("suffix", REPEATED)
def test_repeated_synapses_are_refused_or_added(suffix, tmp_path):
    """The files also hold what programs write: indices as floats, `links`, defaults, a column that is blank."""
    path = tmp_path / f"c{suffix}"
    path.write_text(REPEATED[suffix])
    message = r"edge 'W' from .* to .* occurs 3 times: refused unless repeated=\"sum\", which adds their weights"
    with pytest.raises(cs.ArchiveError, match=f"{path}: not a connectome: {message}"):
        cs.read_connectome(path)
    read = cs.read_connectome(path, repeated="sum")
    assert {(*edge, w) for *edge, w in read.edges(keys=True, data="weight")} == {
        (("x", 0), ("y", 1), "W", 1.75), (("x", 0), ("y", 1), "V", 3.0),
    }  # fmt: skip
    assert all(type(index) is int for _, index in read) and "delay" not in read.edges[("x", 0), ("y", 1), "V"]
    with pytest.raises(cs.ParameterError, match=r'repeated must be None or "sum" \(got .mean'):
        cs.read_connectome(path, repeated="mean")


def test_repeated_synapses_that_differ_otherwise_are_not_added(tmp_path):
    path = tmp_path / "c.csv"
    path.write_text(HEADER + "W,x,0,y,1,0.25,soma,1.5\nW,x,0,y,1,0.5,soma,2\nW,x,1,y,1,1,soma,2\nW,x,1,y,1,1,soma,2\n")
    with pytest.raises(cs.ArchiveError, match="occurs 2 times, and 1 others are repeated too"):
        cs.read_connectome(path)
    with pytest.raises(cs.ArchiveError, match="'W' from .* is repeated with different values of 'delay'"):
        cs.read_connectome(path, repeated="sum")
    path.write_text(HEADER + "W,x,0,y,1,0.25,soma,1.5\n")
    expected = {"weight": 0.25, "compartment": "soma", "delay": 1.5}
    assert cs.read_connectome(path).edges[("x", 0), ("y", 1), "W"] == expected


def small():
    graph = nx.MultiDiGraph(name="small")
    graph.add_nodes_from([(("x", 0), {"population": "x"}), (("y", 1), {"population": "y"})])
    graph.add_edge(("x", np.int64(0)), ("y", np.int32(1)), key="W", weight=np.float32(0.5))
    return graph


KEPT = {
    "none": None, "flag": True, "number": 3, "large": 2**60 + 1, "fraction": 0.1, "text": "ünïcode ☃", "empty": "",
    "spaces": " a ", "lines": "a\nb\x07", "surrogate": "\ud800", "list": [1, "a", [None, {"b": 0.5}]],
    "dict": {"a": [1, 2]}, "numpy": np.int8(4), "json": "{}", "population": "x", "compartment": "axon", "weight": 2.0,
    "incoming_graph_data": "odd", "größe": 1,
}  # fmt: skip


@pytest.mark.parametrize("suffix", [".graphml", ".json"])
def test_plain_attributes_of_any_owner_are_kept(suffix, tmp_path):
    graph = small()
    given = {k: v for k, v in KEPT.items() if k not in ("compartment", "weight")}
    for owner in (graph.graph, graph.nodes["x", 0]):
        owner.update(given)
    graph.edges[("x", 0), ("y", 1), "W"].update(KEPT)
    cs.write_connectome(graph, tmp_path / f"c{suffix}")
    read = cs.read_connectome(tmp_path / f"c{suffix}")
    assert nx.utils.graphs_equal(read, graph)
    assert type(read.edges[("x", 0), ("y", 1), "W"]["flag"]) is bool


RESERVED = [(owner, name) for owner, names in (
    ("graph", ["id", "node_default", "edge_default", "a_json"]), ("node", ["id", "index", "_json"]),
    ("edge", ["id", "key", "source", "target", "projection", "rule_json"]),
) for name in names]  # fmt: skip


def owners(graph):
    return {"graph": graph.graph, "node": graph.nodes["x", 0], "edge": graph.edges[("x", 0), ("y", 1), "W"]}


@pytest.mark.parametrize("suffix", [".graphml", ".json", ".csv"])
@pytest.mark.parametrize(("owner", "name"), RESERVED)
def test_reserved_attributes_are_refused_by_name(owner, name, suffix, tmp_path):
    graph = small()
    owners(graph)[owner][name] = "mine"
    with pytest.raises(cs.ParameterError, match=f"{owner}.*: attribute '{name}': this name is reserved .*; rename it"):
        cs.write_connectome(graph, tmp_path / f"c{suffix}")
    assert not list(tmp_path.iterdir())


REFUSED = {
    "array": (np.ones(2), r"array\.tolist"), "one number": (np.ones(1), r"array\.tolist"), "set": ({1, 2}, r"sorted"),
    "tuple": ((1, 2), r"list.values"), "timestamp": (pd.Timestamp("2026-01-01"), "Timestamp"),
    "nan": (np.nan, "finite"), "infinite": (-np.inf, "finite"), "complex": (1j, "complex"), "bytes": (b"a", "bytes"),
    "huge": (2**64, "64 bits"),
    "inner": ([{"a": [np.ones(2)]}], r"array\.tolist"), "keys": ({1: 2}, "text as keys"),
    "numpy time": (np.datetime64("2026"), "date"),
}  # fmt: skip


@pytest.mark.parametrize("suffix", [".graphml", ".json", ".csv"])
@pytest.mark.parametrize(("value", "message"), REFUSED.values(), ids=REFUSED)
def test_values_that_a_file_cannot_hold_are_refused_by_name(value, message, suffix, tmp_path):
    for owner in ("graph", "node", "edge"):
        graph = small()
        owners(graph)[owner]["pos"] = value
        with pytest.raises(cs.ParameterError, match=f"(?s){owner}.*: attribute 'pos' is .*{message}"):
            cs.write_connectome(graph, tmp_path / f"c{suffix}")
    assert not list(tmp_path.iterdir())


def test_odd_keys_names_and_columns_are_refused_by_name(tmp_path):
    def refused(message, suffix=".json", **changes):
        graph = small()
        graph.edges[("x", 0), ("y", 1), "W"].update(changes)
        with pytest.raises(cs.ParameterError, match=message):
            cs.write_connectome(graph, tmp_path / f"c{suffix}")

    refused("a .csv file has no place for attribute 'delay'; write a .graphml or .json", ".csv", delay=1.0)
    refused("compartment must be a name .got ''", compartment="")
    refused("compartment must be a name .got 3", compartment=3)
    graph = nx.MultiDiGraph([(("x", 0), ("y", 0), {"weight": 1.0})])
    with pytest.raises(cs.ParameterError, match="edge 0 from .'x', 0. to .*: its key must be the name of a projection"):
        cs.write_connectome(graph, tmp_path / "c.json")
    for name in (5, "", " a", "a\nb"):
        graph = small()
        graph.graph[name] = 1
        with pytest.raises(cs.ParameterError, match="the name must be printable text"):
            cs.write_connectome(graph, tmp_path / "c.json")
    for name in ("bell \x07", "two\nlines", "\ud800"):
        graph = nx.MultiDiGraph()
        graph.add_edge((name, 0), ("y", 0), key=name, weight=1.0)
        with pytest.raises(cs.ParameterError, match="a .csv file cannot hold the name"):
            cs.write_connectome(graph, tmp_path / "c.csv")
        for suffix in (".graphml", ".json"):
            cs.write_connectome(graph, tmp_path / f"c{suffix}")
            assert list(cs.read_connectome(tmp_path / f"c{suffix}").edges(keys=True)) == list(graph.edges(keys=True))


def test_a_graph_of_another_form_is_refused_before_anything_is_written(tmp_path):
    graph = nx.MultiDiGraph([(("x", 0), ("y", 0), "W")])
    with pytest.raises(cs.ParameterError, match="edge 'W' from .'x', 0. to .'y', 0.: weight must be a finite number"):
        cs.write_connectome(graph, tmp_path / "c.csv")
    with pytest.raises(cs.ParameterError, match="node 'up0' is not .population, index."):
        cs.write_connectome(paper_sal([4, 3, 2]).graph, tmp_path / "c.csv")
    with pytest.raises(cs.ParameterError, match="must end with one of .graphml, .json, .csv"):
        cs.write_connectome(graph, tmp_path / "c.gexf")
    assert not list(tmp_path.iterdir())
