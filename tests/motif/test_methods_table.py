"""The tables of a paper say what the motif declares, as Markdown and as LaTeX."""

import re

import numpy as np
import pytest
from latex2mathml.converter import convert
from matplotlib.mathtext import MathTextParser

import circuitsim as cs
import motifs
from circuitsim.motif.formula import FUNCTIONS, escaped, latex_of
from circuitsim.rules import functions, parse
from circuitsim.rules.vocabulary import local
from tests.test_fuzz import rich_motif

MATH = re.compile(r"(?<!\\)\$(.+?)(?<!\\)\$")


def several() -> list[cs.Motif]:
    named = [
        getattr(motifs, name) for name in ("sal", "weight_mirror", "winner_take_all", "reward_modulated", "reward_stdp")
    ]
    return [rich_motif(), motifs.bcm([5, 3]), *(make([5, 4, 3]) for make in named)]


def rows(markdown: str, title: str) -> list[list[str]]:
    """The cells below the header of one table."""
    (section,) = [part for part in markdown.split("### ")[1:] if title in part.splitlines()[0]]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def test_the_tables_of_sal_hold_its_populations_projections_and_rules():
    motif = motifs.paper_sal([64, 32, 16, 10], eta=0.25)
    shown = motif.methods_table()
    assert re.findall("### (.*)", shown) == [
        "A: Model summary", "B: Populations", "C: Connectivity", "D: Neuron and synapse model", "E: Plasticity",
        "F: Input", "G: Measurements",
    ]  # fmt: skip
    assert [(r[0], int(r[2])) for r in rows(shown, "Populations")] == [(p.name, p.size) for p in motif.populations]
    found = [tuple(r[:4]) for r in rows(shown, "Connectivity")]
    assert found == [(p.name, p.pre, p.post, p.compartment) for p in motif.projections]
    plasticity = {r[0]: r[1:] for r in rows(shown, "Plasticity")}
    assert plasticity["W0"][0] == "`dw = eta * (slope_post * I_V1 * pre - gamma * w)`"
    assert plasticity["V1, Vt1, V2, Vt2"][0] == "`dw = eta * (post * pre - gamma * w)`"
    assert plasticity["W0"][1].startswith("`eta = 0.25`") and plasticity["V3"] == ["fixed", ""]
    assert ["up0", "driven by a vector of 64 numbers per sample"] in rows(shown, "Input")


def test_the_initial_weights_are_described_as_they_are_drawn():
    """A half-normal sample has the mean scale * sqrt(2 / pi), a normal one 0."""
    motif = cs.Motif("start")
    motif.add(cs.Population("a", 100), cs.Population("b", 400))
    drawn = {
        None: (0.0, "normal, mean 0, standard deviation 5 / sqrt(fan-in)"),
        "positive": (0.5 * np.sqrt(2 / np.pi), "half-normal, positive, scale 5 / sqrt(fan-in)"),
        "negative": (-0.5 * np.sqrt(2 / np.pi), "half-normal, negative, scale 5 / sqrt(fan-in)"),
    }
    for sign in drawn:
        motif.connect("a", "b", name=f"W_{sign}", compartment="dendrite", init=cs.Gaussian(5.0, sign=sign))
    weights = [cs.compile(motif, device="cpu").weights(p.name).mean().item() for p in motif.projections]
    np.testing.assert_allclose(weights, [mean for mean, _ in drawn.values()], atol=0.01)
    described = [row[5] for row in rows(motif.methods_table(), "Connectivity")]
    assert described == [text for _, text in drawn.values()]


def test_rules_become_math_in_the_notation_of_papers():
    shown = motifs.paper_sal([64, 32, 10], eta=0.25).methods_table(format="latex")
    assert (
        r"$\Delta w_{ij} = \eta \, \left(I_{i}^{\mathrm{V1}} \, a_{j} \, {\varphi'_{i}} - \gamma \, w_{ij}\right)$"
        in shown
    )
    assert r"$\Delta w_{ij} = \eta \, \left(- \gamma \, w_{ij} + a_{i} \, a_{j}\right)$" in shown
    assert r"$a_i = \mathrm{relu}\left(d_{i}\right)$" in shown and r"$\eta = 0.25$" in shown
    bcm = motifs.bcm([5, 3]).methods_table(format="latex")
    assert r"$\theta_{i} \leftarrow \theta_{i} + \frac{a_{i}^{2} - \theta_{i}}{\tau}$" in bcm
    spikes = motifs.reward_stdp([5, 3]).methods_table(format="latex")
    assert r"$\frac{d \mathrm{x}_{i}}{d t} = -\frac{\mathrm{x}_{i}}{\tau_{\mathrm{x}}} + \left(S_{i}\right)$" in spikes
    assert r"\mathrm{A\_plus} \, S_{i} \, \mathrm{x}_{j}" in spikes
    phases = rows(motifs.weight_mirror([5, 4, 3]).methods_table(), "Phases")
    assert [row[0] for row in phases] == [p.name for p in motifs.weight_mirror([5, 4, 3]).phases]


@pytest.mark.parametrize("motif", several(), ids=lambda motif: motif.name)
def test_every_formula_is_read_by_two_other_programs_and_every_row_has_its_cells(motif):
    shown = motif.methods_table(format="latex")
    formulas = MATH.findall(shown)
    assert len(formulas) >= 5
    for formula in formulas:
        MathTextParser("path").parse(f"${formula}$")
        assert convert(formula).startswith("<math")
    for tabular in re.findall(r"\\begin\{tabular\}(.*?)\\end\{tabular\}", shown, re.DOTALL):
        columns, *lines = tabular.strip().splitlines()
        found = {len(re.findall(r"(?<!\\)&", line)) + 1 for line in lines[1:]}
        assert found == {columns.count("p{")} and all(line.endswith(r"\\ \hline") for line in lines)


def test_every_function_of_the_language_has_a_notation():
    words = ["a", "b", "c"]
    names = {name: local(name) for name in words}
    for name, function in {**functions.RULE_FUNCTIONS, **functions.TRACE_FUNCTIONS}.items():
        for power in ("", "**2"):
            n_args = max(function.nargs)
            expression = parse(f"{name}({', '.join(words[:n_args])}){power}", names, {name: function}, "test")
            MathTextParser("path").parse(f"${latex_of(expression)}$")
    assert {f.__name__ for f in functions.COMPARISONS} | {"power"} <= FUNCTIONS.keys()
    assert latex_of(parse("(a > b) * a**b / 2", names, {}, "test")) in (
        r"\frac{\left(\mathrm{a}\right)^{\mathrm{b}} \, \left[\mathrm{a} > \mathrm{b}\right]}{2}",
        r"\frac{\left[\mathrm{a} > \mathrm{b}\right] \, \left(\mathrm{a}\right)^{\mathrm{b}}}{2}",
    )


def test_names_are_escaped_for_both():
    motif = cs.Motif("names")
    x, y = motif.add(cs.Population("x_1", 2), cs.Population("größe", 2))
    rule = "rate_1 * post * pre * (pre > 0) + η"
    motif.connect(x, y, name="W_a", rule=rule, parameters={"rate_1": 1e-3, "η": 2.5})
    shown = motif.methods_table(format="latex")
    assert shown.isascii() and r"W\_a & x\_1 & gr\"o{\ss}e" in shown
    assert r"$\mathrm{rate\_1} = 0.001$, $\eta = 2.5$" in shown
    assert escaped("a\\b{c}$d&e#f_g%h~i^j|k\n☃") == (
        r"a{\textbackslash}b\{c\}\$d\&e\#f\_g\%h{\textasciitilde}i{\textasciicircum}j{\textbar}k "
        r"\ensuremath{\langle}\texttt{U+2603}\ensuremath{\rangle}"
    )
    gate = motif.replace("W_a", rule="abs(pre) * post").methods_table()
    assert all(len(row) == 3 for row in rows(gate, "Plasticity"))


def test_a_motif_with_faults_and_another_format_are_refused():
    motif = cs.Motif("m")
    with pytest.raises(cs.ParameterError, match="format must be 'markdown' or 'latex' .got 'html'"):
        motif.methods_table(format="html")
    motif.connect("x", "y", name="W")
    with pytest.raises(cs.MotifError, match="'x'"):
        motif.methods_table()


def test_iterations_and_delays_are_told():
    motif = cs.Motif("loop")
    motif.add(cs.Population("x", 2), cs.Population("h", 3, activation="previous + 0.5 * (drive - previous)"))
    motif.connect("x", "h", name="W", rule=cs.Rule("eta * post * pre * in_settle", eta=0.1))
    motif.connect("h", "h", name="R", delay=2)
    motif.add(cs.Phase("settle", repeat=7, apply="step"), cs.Phase("rest", apply="step", plastic=["h"]))
    text = motif.methods_table()
    assert "all somatic projections; 7 iterations" in text and "soma, 2 iterations late" in text
    assert "all plastic projections and states, at the end of the step" in text and "h, at the end of the step" in text
    latex = motif.methods_table("latex")
    assert r"a_{i}^{\mathrm{previous}}" in latex and r"\mathrm{in\_settle}" in latex


def test_the_topology_is_that_of_maps_and_positions():
    motif = cs.Motif("maps")
    motif.add(cs.Population("image", shape=(1, 6, 6)), cs.Population("cells", 3, positions=np.eye(3)[:, :2]))
    motif.connect("image", "cells", name="W")
    assert "| Topology | image: map of 1 x 6 x 6, cells: positions in 2 dimensions |" in motif.methods_table()
    assert "| Topology | None |" in motifs.sal([4, 3, 2]).methods_table()


def test_a_motif_on_spikes_is_described_as_one():
    shown = motifs.reward_stdp([5, 3]).methods_table()
    assert "Spiking neurons" in shown and "Rate neurons" not in shown and "batch mean" not in shown
    assert "`dw/dt = eta * dopamine * e`" in shown and "activity = " not in shown
    assert "driven by 5 rates or spike trains" in shown and "a number that may change over time" in shown
    latex = motifs.reward_stdp([5, 3]).methods_table("latex")
    assert r"$\frac{d w_{ij}}{d t} = \mathrm{dopamine} \, \mathrm{e}_{ij} \, \eta$" in latex


def test_symbols_that_differ_are_printed_differently():
    """The time constant of a state is not a parameter called `tau`, and letters keep their accents."""
    motif = cs.Motif("symbols")
    state = cs.State(tau_ms=20, on="spike", add="A * (1 - e) / tau", A=2.0, tau=5.0)
    motif.add(cs.Population("x", 2, state={"e": state}), cs.Population("y", 2))
    rule = "spike_post * e_pre + é * w + 猫 * pre"
    motif.connect("x", "y", name="W", rule=rule, parameters={"é": 1.0, "猫": 3.0})
    latex = motif.methods_table("latex")
    assert r"-\frac{\mathrm{e}_{i}}{\tau_{\mathrm{e}}} + \left(\frac{\mathrm{A} \, S_{i} \, " in latex
    assert r"$\tau = 5$, $\tau_{\mathrm{e}} = 20\,\mathrm{ms}$" in latex
    assert r"$\mathrm{\acute{e}} = 1$, $\mathrm{U{+}732B} = 3$" in latex


@pytest.mark.parametrize(
    ("label", "latex"),
    [
        ("½ ≤ ∞", r"{\textonehalf} \ensuremath{\leq} \ensuremath{\infty}"),
        ("−65 mV ± 2", r"\ensuremath{-}65 mV \ensuremath{\pm} 2"),
        ("5-HT → motor", r"5-HT {\textrightarrow} motor"),
        ("Łódź, Ørsted", r"{\L}\'od\'z, {\O}rsted"),
        ("a|b_c", r"a{\textbar}b\_c"),
    ],
)
def test_labels_keep_their_characters(label, latex):
    assert escaped(label) == latex
