"""The page docs/how_to/when_it_says_no.md: inputs that are refused, and what the error says.

``python -m tests.docs.when_it_says_no`` writes the page again, after a message has changed or a case was added below.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import circuitsim as cs

PAGE = Path(__file__).parents[2] / "docs" / "how_to" / "when_it_says_no.md"
HEAD = """# When it says no

Input that makes no sense, or that would be taken in another way than you mean it, is an error that names the object and
the value and says what to do. Every error is a `cs.CircuitError`, and nearly all are a `ValueError` or `RuntimeError` too.
After an error nothing has changed, except that `fit` checks the batches of an iterable when they come.

The tests make this page: they run every input below, which uses these objects, and compare the messages. (Contributors:
`python -m tests.docs.when_it_says_no` writes the page again.)

```python
{setup}
```
"""
SETUP = """
from pathlib import Path

import numpy as np

import circuitsim as cs
from circuitsim.export import LIF, Delay, IntegrateAndFire, Spiking, SpikeTrain, Stream, Trial
from motifs import paper_sal, weight_mirror

rng = np.random.default_rng(0)
x, y = rng.normal(size=(40, 6)), rng.integers(0, 3, 40)
circuit = cs.compile(paper_sal([6, 5, 3]), replicas=2, device="cpu")


def pair(**options):
    motif = cs.Motif("pair")
    motif.add(cs.Population("a", size=6), cs.Population("b", size=5, activation="relu"))
    motif.connect("a", "b", name="W", **{"rule": "eta * post * pre", "parameters": {"eta": 0.1}, **options})
    return motif


def compiled(**options):
    return cs.compile(pair(**options), device="cpu")


def recurrent():
    motif = paper_sal([6, 5, 3])
    motif.add(cs.Phase("run", repeat="time"))
    return cs.compile(motif, device="cpu")


def spiking(**options):
    net = cs.compile(paper_sal([6, 5, 3], trace=None, loss="mse"), device="cpu")
    return cs.export_brian2(net, mode="spiking", target="numpy", n_trials=2, **options)
""".strip()


class Case(NamedTuple):
    """An input that is refused.

    Args:
        what: what is wrong, in words.
        code: the input.
        upto: where the message is cut off, because the rest depends on the machine or on another package.
    """

    what: str
    code: str
    upto: str = ""


SECTIONS: dict[str, list[Case]] = {
    "Declaring populations and projections": [
        Case("no neurons", 'motif = pair(); motif.add(cs.Population("c", size=0)); motif.validate()'),
        Case("half a neuron", 'motif = pair(); motif.add(cs.Population("c", size=2.5)); motif.validate()'),
        Case("a name that is no identifier", 'motif = pair(); motif.add(cs.Population("5-HT", size=3)); motif.validate()'),
        Case("the same name twice", 'motif = pair(); motif.add(cs.Population("a", size=3)); motif.validate()'),
        Case("an unknown stream", 'motif = pair(); motif.add(cs.Population("c", 3, stream="up")); motif.validate()'),
        Case("an unknown activation", 'motif = pair(); motif.add(cs.Population("c", 3, activation="gelu")); motif.validate()'),
        Case("a population that does not exist", 'motif = pair(); motif.connect("a", "c", name="V"); motif.validate()'),
        Case("an unknown compartment", 'pair(compartment="axon").validate()'),
        Case("somata that drive each other in a circle", 'motif = pair(); motif.connect("b", "a", name="V"); motif.validate()'),
        Case(
            "an attribute that does not exist",
            'import networkx; graph = networkx.MultiDiGraph(); graph.add_node("a", sise=3); cs.Motif.from_networkx(graph)',
        ),
        Case("a probability above 1", "pair(connectivity=cs.Random(1.5)).validate()"),
        Case("a shape of another size", 'pair().replace("a", shape=(2, 2)).validate()'),
        Case("a local field without a map", "pair(connectivity=cs.Local(radius=1)).validate()"),
        Case(
            "fields that reach beyond the map",
            'pair(connectivity=cs.Local(1, stride=3)).replace("a", shape=(6,)).replace("b", shape=(5,)).validate()',
        ),
        Case(
            "a probability above 1 at a small distance",
            'pair(connectivity=cs.DistanceDependent("2 * exp(-d)")).replace("a", shape=(6,)).replace("b", shape=(5,)).validate()',
        ),
        Case("bounds against the sign of the neurons", 'pair(bounds=(None, 0)).replace("a", sign="excitatory").validate()'),
        Case("weights against the sign of the neurons", 'pair(init=cs.Constant(0.1)).replace("a", sign="inhibitory").validate()'),
        Case("the transpose of another shape", 'motif = pair(); motif.connect("b", "b", name="V", compartment="dendrite", init=cs.TransposeOf("W")); motif.validate()'),
        Case("rewiring of all and more", "pair(rewiring=cs.Rewiring(every_steps=100, share=1.5)).validate()"),
        Case("a mask of another shape", "pair(connectivity=cs.Mask(np.ones((6, 5)))).validate()"),
        Case("a synapse at a neuron that does not exist", "pair(connectivity=cs.Edges([0, 6], [0, 1])).validate()"),
        Case("lists of synapses of different lengths", "pair(connectivity=cs.Edges([0, 1], [0])).validate()"),
        Case("one-to-one between different sizes", "pair(connectivity=cs.OneToOne()).validate()"),
        Case("weights of another shape", "pair(init=cs.Given(np.ones((6, 5)))).validate()"),
        Case("weights that are not finite", "pair(init=cs.Given(np.full((5, 6), np.nan))).validate()"),
        Case("an empty interval of weights", "pair(init=cs.Uniform(1.0, 0.0)).validate()"),
        Case("bounds the wrong way round", "pair(bounds=(1.0, 0.0)).validate()"),
        Case("a tie to itself", 'pair(rule=None, parameters=None, tied_to=cs.Derived("W")).validate()'),
        Case("an output that does not exist", 'motif = pair(); motif.add(cs.Objective("c", "b")); motif.validate()'),
        Case("an error population of another size", 'motif = pair(); motif.add(cs.Objective("b", "a")); motif.validate()'),
        Case("an unknown loss", 'motif = paper_sal([6, 5, 3], loss="hinge"); motif.validate()'),
        Case("a source that does not exist", 'motif = pair(); motif.add(cs.Population("label", 5, source="label")); motif.validate()'),
        Case("a label without a target", 'motif = pair(); motif.add(cs.Population("label", 5, source="target")); motif.validate()'),
        Case("a label of another size", 'motif = paper_sal([6, 5, 3]); motif.add(cs.Population("label", 5, source="target")); motif.validate()'),
        Case("the target of no output", 'motif = paper_sal([6, 5, 3]); motif.add(cs.Population("label", 3, source="target:up1")); motif.validate()'),
        Case(
            "a label that something else drives",
            'motif = paper_sal([6, 5, 3]); motif.add(cs.Population("label", 3, source="target")); '
            'motif.connect("up1", "label", name="L"); motif.validate()',
        ),
        Case("no input in any phase", 'motif = pair(); motif.add(cs.Phase("p", inputs=[])); motif.validate()'),
        Case("a phase of projections that do not exist", 'motif = pair(); motif.add(cs.Phase("p", soma=["U"])); motif.validate()'),
        Case("time where no input can be a sequence", 'motif = pair(); motif.add(cs.Phase("run", repeat="time"), cs.Phase("rest")); motif.validate()'),
        Case("something that is no declaration", "pair().add(3)"),
        Case("a part that does not exist", 'pair().replace("V", plastic=False)'),
    ],
    "Rules": [
        Case("an unknown name", 'pair(rule="eta * post * prë").validate()'),
        Case("a misspelt name", 'pair(rule="eta * slop_post * pre").validate()'),
        Case("a current that does not arrive there", 'pair(rule="eta * I_V * pre").validate()'),
        Case("a parameter that is missing", 'pair(rule="eta * gamma * pre").validate()'),
        Case("a parameter that is not a number", 'pair(parameters={"eta": "fast"}).validate()'),
        Case("a parameter that is not finite", 'pair(parameters={"eta": float("nan")}).validate()'),
        Case("a parameter with a name that is taken", 'pair(rule="pre * post", parameters={"pre": 1.0}).validate()'),
        Case("syntax that the language lacks", 'pair(rule="eta * post[0]").validate()'),
        Case("a function that the language lacks", 'pair(rule="eta * sin(post)").validate()'),
        Case("a reduction over a population in a rule", 'pair(rule="eta * softmax(post) * pre").validate()'),
        Case("too few arguments", 'pair(rule="eta * clip(post)").validate()'),
        Case("a parenthesis too few", 'pair(rule="eta * (post").validate()'),
        Case("a word of Python", 'pair(rule="eta * lambda").validate()'),
        Case("an empty rule", 'pair(rule="").validate()'),
        Case("a division by zero", 'pair(rule="eta / 0").validate()'),
        Case("a root of a negative number", 'pair(rule="eta * sqrt(-1)").validate()'),
        Case("a state that nothing declares", 'pair(rule="eta * e").validate()'),
        Case("parameters beside a rule that has its own", 'pair(rule=cs.Rule("eta * pre", eta=0.1), parameters={"eta": 0.1})'),
    ],
    "Compiling": [
        Case("no replicas", "cs.compile(paper_sal([6, 5, 3]), replicas=0)"),
        Case("a negative seed", "cs.compile(paper_sal([6, 5, 3]), seed=-1)"),
        Case("a seed and seeds", "cs.compile(paper_sal([6, 5, 3]), seed=1, seeds=[0, 1])"),
        Case("seeds for another number of replicas", "cs.compile(paper_sal([6, 5, 3]), replicas=3, seeds=[0, 1])"),
        Case("masks for another number of replicas", "compiled(connectivity=cs.Mask(np.ones((3, 5, 6))))"),
        Case("a type without enough digits", 'cs.compile(paper_sal([6, 5, 3]), dtype="float16")'),
        Case("a device that is not there", 'cs.compile(paper_sal([6, 5, 3]), device="abacus")', "is not available"),
        Case("a parameter that does not exist", 'cs.compile(paper_sal([6, 5, 3]), vary={"W0.etta": [0.1]})'),
        Case("a number of values other than that of the replicas", 'cs.compile(paper_sal([6, 5, 3]), vary={"W0.eta": [0.1, 0.2]})'),
        Case("a motif with faults", 'motif = pair(rule="eta * I_V"); motif.connect("a", "c", name="V"); cs.compile(motif)'),
        Case(
            "more synapses than fit",
            'motif = cs.Motif(); motif.add(cs.Population("a", 10**6), cs.Population("b", 10**6)); '
            'motif.connect("a", "b", name="W"); cs.compile(motif, device="cpu")', "possible synapses of projection 'W'",
        ),
    ],
    "Steps and weights": [
        Case("inputs of another size", "circuit.step(x[:, :5], y)"),
        Case("an input that is not finite", "circuit.step(np.where(x > 2, np.nan, x), y)"),
        Case("an empty batch", "circuit.step(x[:0], y[:0])"),
        Case("text", 'circuit.step(x.astype(str), y)'),
        Case("a population that takes no input", 'circuit.step({"up9": x}, y)'),
        Case("a missing target", "circuit.step(x)"),
        Case("a class that does not exist", "circuit.step(x, y + 1)"),
        Case("one-hot vectors where classes are wanted", "circuit.step(x, np.eye(3)[y])"),
        Case(
            "classes where vectors are wanted",
            'cs.compile(paper_sal([6, 5, 3], loss="mse"), device="cpu").step(x, y)',
        ),
        Case("classes as floating numbers", "circuit.step(x, y.astype(float))"),
        Case("too few targets", "circuit.step(x, y[:7])"),
        Case("a sequence where no phase is over time", "circuit.step(np.ones((2, 40, 7, 6)), y)"),
        Case("no sequence where a phase is over time", "recurrent().step(np.ones((40, 6)), y)"),
        Case("a target of another length", "recurrent().step(np.ones((40, 7, 6)), np.zeros((40, 8), int))"),
        Case("sequences without a time step", "recurrent().step(np.ones((40, 0, 6)), y)"),
        Case("a signal that is not declared", 'circuit.step(x, y, signals={"reward": np.ones(40)})'),
        Case("weights of another shape", 'circuit.set_weights("W0", np.ones((6, 5)))'),
        Case("weights that are not finite", 'circuit.set_weights("W0", np.full((5, 6), np.inf))'),
        Case("a weight where no synapse is", 'compiled(connectivity=cs.Edges([0], [0])).set_weights("W", np.ones((5, 6)))'),
        Case("a projection that does not exist", 'circuit.freeze("W9")'),
        Case("a threshold that is not a number", 'circuit.prune("W0", float("nan"))'),
        Case("pruning by two measures", 'circuit.prune("W0", 0.1, quantile=0.1)'),
        Case("growth where there is no room", 'circuit.grow("W0", n=1)'),
        Case("growth of no amount", 'circuit.grow("W0")'),
        Case("a lesion of a neuron that does not exist", 'circuit.lesion("up1", [5])'),
        Case("a synapse that does not exist", 'circuit.synapse("W0", post=5, pre=0)'),
        Case("a replica that does not exist", "circuit.connectome(replica=2)"),
        Case("a prediction of what reads the target", 'circuit.predict(x, "down2")'),
        Case("an activity before any step", 'circuit.activity("up1")'),
        Case("a state that does not exist", 'circuit.state("up1", "theta")'),
    ],
    "Data": [
        Case("a data set that does not exist", 'cs.load_dataset("digts")'),
        Case("an option that a data set lacks", 'cs.load_dataset("digits", mirrors=["here"])'),
        Case("an impossible fraction", 'cs.load_dataset("digits", validation=1.5)'),
        Case("blanks", "cs.Dataset.from_arrays(np.where(x > 2, np.nan, x), y)"),
        Case("lengths that differ", "cs.Dataset.from_arrays(x, y[1:])"),
        Case("classes as floating numbers", "cs.Dataset.from_arrays(x, y.astype(float))"),
        Case("a negative class", "cs.Dataset.from_arrays(x, y - 1)"),
        Case("a class that training lacks", "cs.Dataset.from_arrays(x, y, test=(x, y + 1))"),
        Case("splits with different features", "cs.Dataset.from_arrays(x, y, test=(x[:, :5], y))"),
        Case("too few samples to hold out", "cs.Dataset.from_arrays(x, y, validation=0.01)"),
        Case("text as features", 'cs.Dataset.from_arrays(x.astype(str), y)'),
        Case("a folder that does not exist", 'cs.Dataset.from_folder("photos")'),
        Case("a folder without classes", 'Path("empty").mkdir(); cs.Dataset.from_folder("empty")'),
        Case(
            "a file that is no image",
            'Path("pets/cat").mkdir(parents=True); Path("pets/dog").mkdir(); Path("pets/cat/a.txt").write_text("meow"); '
            'cs.Dataset.from_folder("pets")',
        ),
    ],
    "Learning": [
        Case("no data", "cs.fit(circuit, None)"),
        Case("data that do not fit the circuit", "cs.fit(circuit, (x[:, :5], y), progress=False)"),
        Case(
            "an output that hears its label",
            'motif = paper_sal([6, 5, 3]); motif.add(cs.Population("label", 3, source="target")); '
            'motif.connect("label", "up2", name="L"); cs.fit(cs.compile(motif, device="cpu"), (x, y))',
        ),
        Case("a batch larger than the data", "cs.fit(circuit, (x, y), batch_size=41)"),
        Case("half an epoch", "cs.fit(circuit, (x, y), epochs=0.5)"),
        Case("an unknown schedule", 'cs.fit(circuit, (x, y), schedule="linear")'),
        Case("a schedule that is not a number", 'cs.fit(circuit, (x, y), batch_size=8, schedule=lambda p: float("nan"), progress=False)'),
        Case("probes without names", "cs.fit(circuit, (x, y), probes=[print])"),
        Case("a checkpoint that is no path", "cs.fit(circuit, (x, y), batch_size=8, checkpoint=3)"),
        Case("a split that does not exist", 'cs.evaluate(circuit, (x, y), split="tst")'),
        Case("an unknown quantity", 'cs.alignment(circuit, x, y, ["mirror_cosin"])'),
        Case("a gradient without a loss", 'cs.loss_gradients(compiled(), x, None)'),
    ],
    "Files": [
        Case("a file that does not exist", 'cs.load_circuit("none.safetensors")'),
        Case("a file of another kind", 'Path("text.safetensors").write_text("hello"); cs.load_circuit("text.safetensors")', "not a saved circuit"),
        Case("a folder instead of a file", 'Path("folder").mkdir(); circuit.save("folder")'),
        Case("an unknown ending", 'cs.write_connectome(circuit.connectome(), "edges.xlsx")'),
        Case("a graph that is no connectome", 'import networkx; cs.write_connectome(networkx.path_graph(3), "edges.csv")'),
        Case("a file of edges without weights", 'Path("e.csv").write_text("projection,pre\\n"); cs.read_connectome("e.csv")'),
        Case("JSON that is no motif", 'cs.Motif.from_json("[1, 2]")'),
        Case("a graph that is no multigraph", "import networkx; cs.Motif.from_networkx(networkx.path_graph(3))"),
        Case("weights that are no archive", 'Path("w.npz").write_text("hello"); cs.read_weights("w.npz")', "not an .npz file of arrays"),
        Case("edges of neurons with a blank", 'Path("t.csv").write_text("pre,post,weight\\nASEL,AIYL,\\n"); cs.read_edge_table("t.csv")'),
        Case("a column that does not exist", 'Path("u.csv").write_text("cell,partner\\nASEL,AIYL\\n"); cs.read_edge_table("u.csv")'),
        Case("a pair of neurons twice", 'Path("v.csv").write_text("pre,post\\nA,B\\nA,B\\n"); cs.read_edge_table("v.csv")'),
        Case("a picture of an unknown kind", 'circuit.motif.draw("motif.bmp")'),
    ],
    "Export to Brian2": [
        Case("an unknown mode", 'cs.export_brian2(circuit, mode="spikes")'),
        Case("an unknown target", 'cs.export_brian2(circuit, target="java")'),
        Case("a replica that does not exist", "cs.export_brian2(circuit, replica=2)"),
        Case("a trace that spikes cannot deliver", 'cs.export_brian2(cs.compile(paper_sal([6, 5, 3], trace="tanh(activity)"), device="cpu"), mode="spiking")'),
        Case("a mean without trials", 'cs.export_brian2(pair(rule="eta * post * mean(pre)"), mode="spiking", spiking=Spiking(trial=None))'),
        Case("several phases", 'cs.export_brian2(cs.compile(weight_mirror([6, 5, 4, 3]), device="cpu"), mode="spiking")'),
        Case(
            "a state of a synapse",
            'cs.export_brian2(compiled(rule="eta * e", state={"e": "0.9 * e + pre * post"}), mode="spiking")',
        ),
        Case("an activation that reads all neurons of its population", 'cs.export_brian2(cs.compile(pair().replace("b", activation="softmax(drive)"), device="cpu"), mode="spiking")'),
        Case(
            "a label that spikes",
            'motif = paper_sal([6, 5, 3], trace=None); motif.add(cs.Population("label", 3, source="target")); '
            'cs.export_brian2(cs.compile(motif, device="cpu"), mode="spiking")',
        ),
        Case("a name that Brian2 cannot write", 'motif = cs.Motif(); motif.add(cs.Population("γ", 3)); cs.export_brian2(cs.compile(motif, device="cpu"))'),
        Case("a model for a population that does not exist", 'spiking(spiking=Spiking(cells={"up9": LIF()}))'),
        Case("a number instead of a delay", 'Spiking(delays={"W0": 5.0})'),
        Case("delays of signed spikes", 'spiking(spiking=Spiking(delays={"V1": Delay(5)}))'),
        Case("a lag that is shorter than the delays", 'spiking(spiking=Spiking(coding="on_off", delays={"W0": Delay(20)}, trial=Trial(lag_ms=50)))'),
        Case("a time step that does not divide the windows", "Spiking(dt_ms=0.3)"),
        Case("an error before the output is known", "Trial(lag_ms=-20)"),
        Case("negative inputs", "spiking().predict(x)"),
        Case("no samples", "spiking().fit((x[:0], y[:0]), samples=10)"),
        Case("a projection that does not exist", 'spiking().weights("W9")'),
        Case("a parameter that does not exist", 'spiking().set_parameter("W0.etta", 0.1)'),
        Case("spikes in a circuit of rates", 'compiled(rule="eta * spike_post * pre")'),
        Case("a product of two spikes", 'compiled(rule="eta * spike_post * spike_pre")'),
        Case("a state that changes at the spikes of no neuron", 'compiled(state={"e": cs.State(tau_ms=20, on="spike")})'),
        Case("two spikes in a time step", 'cs.export_brian2(pair(parameters={}, rule="spike_pre"), mode="spiking", spiking=Spiking(trial=None, cells={"a": SpikeTrain()})).run(10, {"a": [[1.0, 1.1]] * 6})'),
        Case("a change of what is compiled in", "spiking().set_trial(ascending_ms=40, descending_ms=60)"),
    ],
}  # fmt: skip


def said(case: Case, namespace: dict[str, Any]) -> cs.CircuitError:
    """Run a case and return the error, which must be one of the package's own."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(case.code, dict(namespace))
    except cs.CircuitError as error:
        return error
    except Exception as error:
        raise AssertionError(f"{case.code}: {type(error).__name__} is not an error of the package: {error}") from error
    raise AssertionError(f"{case.code}: no error")


def page() -> str:
    """The text of the page."""
    namespace: dict[str, Any] = {}
    exec(SETUP, namespace)
    lines = [HEAD.format(setup=SETUP)]
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            for title, cases in SECTIONS.items():
                lines += [f"## {title}", "", "| what is wrong | input | error |", "|---|---|---|"]
                for case in cases:
                    error = said(case, namespace)
                    message = " ".join(str(error).split())
                    if case.upto:
                        assert case.upto in message, (case, message)
                        message = message.partition(case.upto)[0] + case.upto + " ..."
                    lines.append(f"| {case.what} | {_code(case.code)} | {type(error).__name__}: {_code(message)} |")
                lines.append("")
        finally:
            os.chdir(before)
    return "\n".join(lines)


def _code(text: str) -> str:
    """Text as code in a cell of a table."""
    ticks = "``" if "`" in text else "`"
    return f"{ticks}{text}{ticks}".replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page())
