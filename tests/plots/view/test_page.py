"""The page holds the numbers of the run, loads nothing, and says which file is at fault."""

import base64
import html.parser
import json
import re

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import circuitsim as cs
from circuitsim.cli import app
from circuitsim.plots.view import write_page
from circuitsim.plots.view.page_data import shown_moments
from circuitsim.plots.view.run_folder import read_run
from motifs import paper_sal
from tests.motif.circuits import loop_over_phases
from tests.plots.view.runs import odd, trained


class Elements(html.parser.HTMLParser):
    """Tags with attributes, and the text of the script of data."""

    def __init__(self, text):
        super().__init__()
        self.found, self.data, self._inside = [], "", False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self._inside = tag == "script" and ("id", "data") in attrs

    def handle_data(self, text):
        self.data += text if self._inside else ""


def data_of(text):
    return json.loads(Elements(text).data)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def page(run):
    return write_page(run).read_text(encoding="utf-8")


def decoded(matrix):
    found = np.frombuffer(base64.b64decode(matrix["weights"]), dtype="<f4").reshape(matrix["shape"])
    return found.swapaxes(1, 2) if matrix["transposed"] else found


def test_every_weight_of_every_moment_is_in_the_page(run, page):
    data, kept = data_of(page), cs.WeightHistory.load(run / "weights.npz")
    assert data["epochs"] == kept.epochs == [0, 1, 2, 3]
    found = {m["name"]: m for group in data["groups"] for m in group["matrices"]}
    circuit = cs.load_circuit(run / "circuit.safetensors", device="cpu")
    assert set(found) == {p.name for p in circuit.motif.projections}
    for name, matrix in found.items():
        np.testing.assert_array_equal(decoded(matrix), kept.weights[name])
        last = np.nan_to_num(decoded(matrix)[-1])
        np.testing.assert_array_equal(last, circuit.weights(name)[0].to_dense().numpy())
        p = circuit.motif.projection(name)
        assert (matrix["pre"], matrix["post"], matrix["rule"]) == (p.pre, p.post, p.rule.expression if p.rule else None)


def test_phases_that_close_a_loop_together_have_a_page(tmp_path):
    cs.compile(loop_over_phases(), device="cpu").save(tmp_path / "circuit.safetensors")
    text = write_page(tmp_path).read_text(encoding="utf-8")
    assert {m["name"] for group in data_of(text)["groups"] for m in group["matrices"]} == {"W", "U", "D", "F"}


def test_a_pair_has_one_order_one_scale_and_its_cosines(page):
    group = next(group for group in data_of(page)["groups"] if group["names"] == ["V1", "Vt1"])
    v, vt = (decoded(matrix).astype(float) for matrix in group["matrices"])
    expected = [np.sum(a * b.T) / np.linalg.norm(a) / np.linalg.norm(b) for a, b in zip(v, vt, strict=True)]
    assert group["cosines"] == pytest.approx(expected) and abs(expected[0]) < 0.5 < expected[-1]
    assert sorted(group["rows"]) == list(range(v.shape[1])) and sorted(group["columns"]) == list(range(v.shape[2]))
    assert 0 < group["limit"] <= max(np.abs(v).max(), np.abs(vt).max())
    ordered = (v[-1] + vt[-1].T)[np.ix_(group["rows"], group["columns"])]
    half = len(ordered) // 2
    blocks = ordered[:half, :half].mean(), ordered[half:, half:].mean(), ordered[:half, half:].mean()
    assert np.isfinite(blocks).all() and min(blocks[:2]) > 0 > blocks[2]  # what has assembled shows as blocks


def test_curves_are_means_over_replicas(run, page):
    table = pd.read_csv(run / "history.csv")
    rows = table[(table.split == "validation") & (table.metric == "loss")]
    panel = next(panel for panel in data_of(page)["panels"] if panel["title"] == "validation loss")
    (line,) = panel["lines"]
    assert line["epochs"] == [1, 2, 3]
    assert line["mean"] == pytest.approx(rows.groupby("epoch").value.mean().tolist())
    assert line["spread"] == pytest.approx(rows.groupby("epoch").value.std().tolist())


def test_the_page_is_small_and_refers_to_nothing_outside(page):
    assert len(page) < 2e6
    for tag, attributes in Elements(page).found:
        assert tag not in ("img", "iframe", "object", "embed"), tag
        for name in ("src", "href", "xlink:href"):
            assert str(attributes.get(name) or "#").startswith(("#", "data:")), (tag, attributes)
    assert set(re.findall(r"https?://[^\s\"')<]+", page)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert "default-src 'none'" in page


def test_the_configuration_is_there(page):
    for text in ("options.dataset</th><td>teacher", "batch_size</th><td>64", "versions.circuitsim"):
        assert text in page


def test_a_circuit_alone_makes_a_page_and_no_name_can_break_it(tmp_path):
    text = write_page(odd(tmp_path), tmp_path / "sub" / "page.html").read_text(encoding="utf-8")
    data = data_of(text)
    assert "<b>&'odd'" not in text and "&lt;b&gt;&amp;" in text and data["epochs"] == [None] and data["panels"] == []
    (matrix,) = data["groups"][0]["matrices"]
    assert matrix["shape"] == [1, 64, 64] and data["populations"]["x"]["size"] == 100
    circuit = cs.load_circuit(tmp_path / "circuit.safetensors", device="cpu")
    rows, columns = (data["populations"][name]["kept"] for name in ("y", "x"))
    weights = circuit.weights("W").to_dense()[0].numpy()[np.ix_(rows, columns)]
    np.testing.assert_array_equal(np.nan_to_num(decoded(matrix)[0]), weights)
    assert np.isnan(decoded(matrix)).sum() == (weights == 0).sum() > 0
    assert matrix["parameters"] == {"eta": "one per synapse", "k": "0.5"}


def test_a_run_that_still_goes_on_can_be_seen(run, tmp_path):
    (tmp_path / "checkpoint.safetensors").write_bytes((run / "checkpoint.safetensors").read_bytes())
    found = read_run(tmp_path)
    assert found.circuit.n_steps > 0
    (table,) = found.tables.values()
    pd.testing.assert_frame_equal(table, pd.read_csv(run / "history.csv", keep_default_na=False), check_dtype=False)


def test_of_a_long_run_as_many_moments_are_shown_as_a_page_holds():
    kept = cs.WeightHistory(epochs=list(range(500)), steps=list(range(500)))
    kept.weights["W"] = np.arange(500, dtype=np.float32)[:, None, None] * np.ones((300, 300), dtype=np.float32)
    shown = shown_moments(kept)
    assert 15 < len(shown.epochs) < 25 and (shown.epochs[0], shown.epochs[-1]) == (0, 499)
    assert sum(array.nbytes for array in shown.weights.values()) <= 7e6
    np.testing.assert_array_equal(shown.weights["W"][:, 0, 0], shown.epochs)
    few = kept.at([0, 7, 499])
    assert shown_moments(few) is few and few.steps == [0, 7, 499]


def test_compared_circuits_are_lines_of_their_own(tmp_path):
    table = pd.DataFrame(
        [(k, float(k), r, "probe", "mirror_cosine", site, value + k + r, label) for k in (0, 1) for r in (0, 1)
         for site, value in (("V1", 0.0), ("V2", 1.0)) for label in ("SAL", "control")],
        columns=["step", "epoch", "replica", "split", "metric", "site", "value", "circuit"],
    )  # fmt: skip
    odd(tmp_path)
    table.to_csv(tmp_path / "history.csv", index=False)
    (panel,) = data_of(write_page(tmp_path).read_text(encoding="utf-8"))["panels"]
    assert [line["label"] for line in panel["lines"]] == ["SAL", "control"]
    assert panel["lines"][0]["mean"] == [1.0, 2.0] and panel["axis"] == "cosine"  # over V1, V2 and replicas


RUNAWAY = b"step,epoch,replica,split,metric,site,value,runaway\n1,1.0,0,test,loss,,0.5,yes\n"


def test_what_is_at_fault_is_named(run, tmp_path):
    with pytest.raises(cs.ArchiveError, match="holds no circuit; a run folder has one of circuit.safetensors"):
        write_page(tmp_path)
    cs.compile(paper_sal([4, 3, 3, 2]), device="cpu").save(tmp_path / "circuit.safetensors")
    for name, content, message in (
        ("weights.npz", (run / "weights.npz").read_bytes(), r"weights.npz: .*does not fit|lacks projection"),
        ("weights.npz", b"x", r"weights.npz: truncated, or not an .npz"),
        ("history.csv", b"a,b\n1,2\n", r"history.csv: .*column 'step' is missing"),
        ("history.csv", RUNAWAY, r"history.csv: .*column 'runaway' must hold True or False"),
        ("configuration.json", b"{", r"configuration.json: not JSON"),
        ("circuit.safetensors", b"{", r"circuit.safetensors: truncated"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(cs.ArchiveError, match=message):
            write_page(tmp_path)
        assert not (tmp_path / "view.html").exists()
        if name != "circuit.safetensors":
            (tmp_path / name).unlink()


def test_the_command_says_where_the_page_is(run, tmp_path):
    result = CliRunner().invoke(app, ["view", str(run), "--out", str(tmp_path / "page.html")], catch_exceptions=False)
    assert result.exit_code == 0 and "wrote" in result.output
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
