"""The command line: `circuitsim show`, `train` and `view`."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.table import Table

import circuitsim as cs
from circuitsim.motif.expressions import has_spikes
from circuitsim.train.configuration import write_configuration
from circuitsim.train.setting import setting_for
from circuitsim.train.weight_probe import every_for

app = typer.Typer(no_args_is_help=True, help="Neural circuits with explicit plastic synapses and local rules.")
console = Console(markup=False)  # brackets, as in loss[up2], are what they are

N_PROBED = 1000  # samples on which alignment is measured
NOT_OF_LAYERS = ("two_stream", "frozen_feedback", "shuffled_error")  # their arguments are not just layer sizes

MotifArgument = Annotated[str, typer.Argument(help="name of a motif, or a .json or .graphml file of one")]


def load_motif(motif: str, layers: list[int]) -> cs.Motif:
    """Return the published motif of this name, or read a motif from a file.

    Raises:
        typer.BadParameter: there is no such motif and no such file.
    """
    import motifs  # imported late, because the library does not depend on it

    known = [name for name in motifs.__all__ if name not in NOT_OF_LAYERS]
    if motif in known:
        return getattr(motifs, motif)(layers)
    path = Path(motif)
    if not path.is_file():
        raise typer.BadParameter(f"there is no motif or file {motif!r} (known: {', '.join(known)})")
    return cs.read_motif(path)


def _sizes(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise typer.BadParameter(f"layers must be comma-separated sizes, such as 64,32,10 (got {text!r})") from None


@app.command()
def show(
    motif: MotifArgument,
    layers: Annotated[str, typer.Option(help="layer sizes of a named motif, from input to output")] = "64,32,32,10",
    out: Annotated[Path, typer.Option(help="image file to write, .png or .svg")] = Path("motif.png"),
) -> None:
    """Draw a motif and print the program of its step."""
    declared = load_motif(motif, _sizes(layers))
    declared.validate()
    if has_spikes(declared):
        console.print(f"{declared.name}: rules depend on spikes, so there is no step of rates; see cs.export_brian2")
    else:
        console.print(str(cs.compile(declared).program), highlight=False, soft_wrap=True)
    declared.draw(out)
    console.print(f"wrote {out}")


@app.command()
def train(
    motif: MotifArgument,
    dataset: Annotated[str, typer.Option(help="name of a data set")] = "digits",
    epochs: Annotated[
        int | None, typer.Option(help="passes over the data; the default depends on the data set")
    ] = None,
    replicas: Annotated[int, typer.Option(help="number of independent circuits")] = 1,
    seed: Annotated[int, typer.Option(help="seed of the first replica and of the order of the data")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
    out: Annotated[Path | None, typer.Option(help="run folder; by default a folder in runs/")] = None,
    resume: Annotated[bool, typer.Option(help="continue from the checkpoint in the run folder")] = False,
) -> None:
    """Train a motif on a data set, and save the circuit, its history and its checkpoint in a run folder."""
    data, setting = cs.load_dataset(dataset), setting_for(dataset)
    setting = replace(setting, epochs=setting.epochs if epochs is None else epochs)
    if isinstance(data.n_features, dict) or isinstance(data.n_outputs, dict):
        raise typer.BadParameter(f"data set {dataset!r} has several inputs or objectives; use circuitsim.fit")
    declared = load_motif(motif, [data.n_features, *setting.hidden, data.n_outputs])
    out = out or Path("runs") / f"train_{declared.name}_{dataset}"
    circuit = cs.compile(declared, replicas=replicas, seed=seed, device=device)
    path, every = out / "weights.npz", every_for(setting.epochs)
    kept = cs.WeightHistory.load(path) if resume and path.exists() else cs.WeightHistory()
    split = data.train if data.validation is None else data.validation
    held_out = split.take(torch.arange(min(N_PROBED, len(split)))).to(circuit.device, circuit.dtype)
    probes = {
        "weights": cs.WeightProbe(every, path=path, kept=kept),
        "alignment": cs.Probe(lambda c: cs.alignment(c, held_out.x, held_out.target), every_epochs=every),
    }
    history = cs.fit(
        circuit, data, epochs=setting.epochs, batch_size=setting.batch_size, schedule="cosine", data_seed=seed,
        probes=probes, checkpoint=out / "checkpoint.safetensors", resume=resume,
    )  # fmt: skip
    history.save(out / "history.csv")
    circuit.save(out / "circuit.safetensors")
    options = {"motif": motif, "dataset": dataset, "replicas": replicas, "seed": seed}
    title = f"{declared.name} on {dataset}"
    write_configuration({"title": title, "options": options, **asdict(setting)}, out)
    if declared.objectives:
        console.print(_last_values(history, title if replicas == 1 else f"{title}, {replicas} replicas"))
    else:
        console.print(f"{title}: the motif has no objective, so there is no loss and no accuracy")
    console.print(f"wrote {out}")


def _last_values(history: cs.History, title: str) -> Table:
    """Return a table of the final metrics: mean and standard deviation over the replicas that did not run away."""
    table = history.to_pandas()
    table = table[~table.runaway & table.split.isin(["train", "validation", "test"])]
    title = f"{title} ({len(history.ran_away)} of them ran away, left out)" if history.ran_away else title
    last = table[table.epoch == table.epoch.max()]
    shown = Table("split", "metric", "value", title=title, show_lines=True)
    for (split, metric), values in last.groupby(["split", "metric"], sort=False).value:
        spread = f" ± {values.std():.4f}" if len(values) > 1 else ""
        shown.add_row(str(split), str(metric), f"{values.mean():.4f}{spread}")
    return shown


@app.command()
def view(
    run: Annotated[Path, typer.Argument(help="folder that `circuitsim train` or examples/self_assembly.py wrote")],
    out: Annotated[Path | None, typer.Option(help="page to write; by default view.html in the run folder")] = None,
) -> None:
    """Write an HTML page that shows the circuit, the curves and the weights of a run. It needs no server or network."""
    from circuitsim.plots.view import write_page  # imported late, because only this command needs it

    console.print(f"wrote {write_page(run, out)}: open it in a browser")


def main() -> None:
    """Run the command line. Errors of circuitsim are shown as messages without a traceback."""
    try:
        app()
    except cs.CircuitError as error:
        typer.echo(f"{typer.style('error:', fg='red')} {error}", err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
