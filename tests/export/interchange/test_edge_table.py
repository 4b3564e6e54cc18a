"""read_edge_table: the tables that c302 contains and that Cytoscape exports."""

import networkx as nx
import pytest

import circuitsim as cs

# The first lines of herm_full_edgelist.csv (Cook et al. 2019) and of aconnectome_white_1986_whole.csv as c302 has them.
COOK = """Source,Target,Weight,Type
I1L , I2L           ,10,chemical
I1L , I3            ,3,chemical
I1L , pm1vl         ,1,chemical
I1R , I1L           ,2,electrical
"""
WHITE = "pre\tpost\ttype\tsynapses\nADAL\tADFL\telectrical\t1\nADAL\tAIBL\tchemical\t1\nADAL\tAIBR\tchemical\t2\n"
# The default edge table of Cytoscape 3: quoted, columns in the order of their names, a column of the user.
CYTOSCAPE = (
    '"SUID","interaction","name","selected","shared interaction","shared name","weight"\n'
    '"68","inhibits","5-HT (cell) (inhibits) MBON-γ1","false","inhibits","5-HT (cell) (inhibits) MBON-γ1","-0.5"\n'
    '"70","excites","A, B (excites) A, B","false","excites","A, B (excites) A, B","2"\n'
)


def read(tmp_path, text, **options):
    path = tmp_path / "edges.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return cs.read_edge_table(path, **options)


def edges(connectome):
    label = nx.get_node_attributes(connectome, "label")
    return {(label[a], label[b], key): w for a, b, key, w in connectome.edges(keys=True, data="weight")}


def test_published_tables_of_the_worm_read_as_they_are(tmp_path):
    connectome = read(tmp_path, COOK)
    assert edges(connectome) == {
        ("I1L", "I2L", "chemical"): 10, ("I1L", "I3", "chemical"): 3, ("I1L", "pm1vl", "chemical"): 1,
        ("I1R", "I1L", "electrical"): 2,
    }  # fmt: skip
    assert list(connectome.nodes(data="label")) == [
        (("neurons", k), name) for k, name in enumerate(["I1L", "I1R", "I2L", "I3", "pm1vl"])
    ]
    assert set(nx.get_node_attributes(connectome, "population").values()) == {"neurons"}
    for text in (WHITE, "pre post type synapses\n" + WHITE.split("\n", 1)[1]):  # aconnectome_white_1986_A.csv
        assert edges(read(tmp_path, text))[("ADAL", "AIBR", "chemical")] == 2


def test_cytoscape_holds_both_neurons_in_one_column(tmp_path):
    connectome = read(tmp_path, b"\xef\xbb\xbf" + CYTOSCAPE.encode(), population="cells")
    assert edges(connectome) == {
        ("5-HT (cell)", "MBON-γ1", "inhibits"): -0.5, ("A, B", "A, B", "excites"): 2,
    }  # fmt: skip
    assert connectome.nodes["cells", 0]["population"] == "cells"


def test_it_is_a_connectome_like_any_other(tmp_path):
    connectome = read(tmp_path, COOK)
    cs.write_connectome(connectome, tmp_path / "connectome.graphml")
    back = cs.read_connectome(tmp_path / "connectome.graphml")
    assert edges(back) == edges(connectome)


def test_columns_may_be_named_and_left_out(tmp_path):
    text = "cell;partner;strength;area;note\r\na;b;1,5;2;\r\n\r\nb;a;2;3;x\r\n"
    options = {"pre": "cell", "post": "partner", "weight": "area"}
    assert edges(read(tmp_path, text, **options)) == {("a", "b", "synapses"): 2, ("b", "a", "synapses"): 3}
    assert edges(read(tmp_path, "from,to\na,b\n")) == {("a", "b", "synapses"): 1}


def test_names_that_look_alike_are_one_neuron(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("pre,post,weight\ncaf\u00e9,B,1\nC,cafe\u0301,2\n", encoding="utf-8")
    assert [label for _, label in cs.read_edge_table(path).nodes(data="label")] == ["B", "C", "caf\u00e9"]


def test_columns_of_one_kind_must_agree(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("pre,post,type,projection\nA,B,chemical,chemical\n")
    assert next(iter(cs.read_edge_table(path).edges(keys=True)))[2] == "chemical"
    path.write_text("pre,post,type,projection\nA,B,chemical,W\n")
    with pytest.raises(cs.ParameterError, match="both 'type' and 'projection' may be the projection; give projection="):
        cs.read_edge_table(path)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
@pytest.mark.parametrize("read", [cs.read_edge_table, cs.read_connectome])
def test_text_that_is_not_utf_8_is_told(encoding, read, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("pre,post,weight\n\u00c4,B,1\n", encoding=encoding)
    with pytest.raises(cs.ArchiveError, match=r"no text in UTF-8 \(byte \d+ is 0x..\): save it in UTF-8"):
        read(path)


def test_repeated_pairs_are_refused_or_added(tmp_path):
    text = "pre,post,weight,type\na,b,1,x\na,b,2,y\na,b,4,x\nb,a,3,x\n"
    with pytest.raises(cs.ArchiveError, match=r"'x': 1 pairs .* from 'a' to 'b' \(2 of them\); repeated='sum'"):
        read(tmp_path, text)
    found = edges(read(tmp_path, text, repeated="sum"))
    assert found == {("a", "b", "x"): 5, ("a", "b", "y"): 2, ("b", "a", "x"): 3}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pre,post,weight\na,b,\nc,d,1\n", r"line 2: weight must be a number \(got ''; so in 1 of 2 lines\)"),
        ("pre,post,weight\na,b,1\nc,d,many\n", "line 3: weight must be a number .*'many'"),
        ("pre,post,weight\na,b,inf\n", r"weights are not finite, the first \(inf\) from 'a' to 'b'"),
        ("pre,post\n,b\n", "line 2: pre must not be empty"),
        ("pre,post\na,b,c\n", "line 2 has 3 cells, but there are 2 columns"),
        ('pre,post\na,"b\nc"\n\nd,"e\nf,g\n', r"the row from line 5 on cannot be read \(unexpected end of data\)"),
        ('pre,post\na,b\nc,"d"e\n', r"line 3 on cannot be read \(',' expected after '\"'\); is a quote not closed"),
        (f"pre,post\na,{'b' * 2**17}c\n", r"line 2 on cannot be read \(field larger than field limit"),
        ('pre,post\n"a\n",b\n\n"a\n",b,c\n', "line 5 has 3 cells, but there are 2 columns"),
        ("pre,post\n", "it has no edges"),
        ("pre,post,pre\na,b,c\n", "two columns have the same name"),
        ("a b\n", "its first line must name columns"),
        ("", "its first line must name columns"),
        (b"pre,post\n\xff\xfe,b\n", "no text in UTF-8"),
        ('"name","weight"\n"a-b","1"\n', r"line 2: name must be of the form 'A \(interaction\) B', .*got 'a-b'"),
        ('"name","weight"\n"a (x) (y) b","1"\n', "must be of the form"),
        ('"name","interaction"\n"a (x) b","y"\n', "must be of the form"),
    ],
)
def test_tables_that_lack_something_are_refused_with_the_line(text, message, tmp_path):
    with pytest.raises(cs.ArchiveError, match=message):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pre": "cell"}, r"has no column 'cell' \(it has source, from, target, weight\)"),
        ({}, "both 'source' and 'from' may be the pre; give pre="),
        ({"pre": "source", "repeated": "mean"}, 'repeated must be None or "sum"'),
    ],
)
def test_columns_that_are_not_there_or_not_clear_are_refused(options, message, tmp_path):
    with pytest.raises(cs.ParameterError, match=message):
        read(tmp_path, "source,from,target,weight\na,b,c,1\n", **options)
    with pytest.raises(cs.ParameterError, match=r"no column is called post or the like; give post= \(pre, partner\)"):
        read(tmp_path, "pre,partner\na,b\n")
    with pytest.raises(cs.ArchiveError, match="cannot be read"):
        cs.read_edge_table(tmp_path / "none.csv")


def test_one_number_in_two_spellings_is_refused(tmp_path):
    path = tmp_path / "edges.csv"
    path.write_text("pre,post,weight\n1.0,2,1\n3.5,1,2\n")
    with pytest.raises(cs.ArchiveError, match="the neurons '1' and '1.0' may be one, .*: write both alike"):
        cs.read_edge_table(path)
    path.write_text("pre,post,weight\n1.0,2.0,1\n3.5,1.0,2\n")
    assert {label for _, label in cs.read_edge_table(path).nodes(data="label")} == {"1.0", "2.0", "3.5"}


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    plain = read(tmp_path, WHITE)
    marked = read(tmp_path, b"\xef\xbb\xbf" + WHITE.encode())
    assert edges(marked) == edges(plain) and len(edges(plain)) == 3


def test_neurons_are_numbered_in_the_order_of_their_names_whatever_the_order_of_the_rows(tmp_path):
    head, *rows = WHITE.splitlines()
    turned = read(tmp_path, "\n".join([head, *rows[::-1]]))
    assert list(turned.nodes(data="label")) == list(read(tmp_path, WHITE).nodes(data="label"))
    assert [label for _, label in turned.nodes(data="label")] == ["ADAL", "ADFL", "AIBL", "AIBR"]
