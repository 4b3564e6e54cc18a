"""The command line: `circuitsim show`, `train`, `view`, `experiment`, `tune` and `bench`."""

from __future__ import annotations

import functools
import importlib
import inspect
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

import circuitsim as cs
import motifs
from circuitsim.studies import tuning
from circuitsim.studies.experiment import (
    DatasetOption,
    DeviceOption,
    EpochsOption,
    Experiment,
    Options,
    OutOption,
    QuickOption,
    SchedulerOption,
    SeedsOption,
    as_rich_table,
    run_experiment,
    spread,
    write_configuration,
)
from circuitsim.studies.self_assembly import aligned, setting_for
from circuitsim.studies.tuning import ALGORITHMS
from circuitsim.train.weight_probe import every_for

app = typer.Typer(no_args_is_help=True, help="Neural circuits with explicit plastic synapses and local rules.")
console = Console()

MOTIFS = [name for name in motifs.__all__ if name != "two_stream"]
EXPERIMENTS = (
    "benchmark_table", "feedback_width", "learning_rates", "local_losses", "motif_census", "parity", "pathway_ablation",
    "representations", "short_term_modulation", "spike_timing", "spiking_conversion", "spiking_depth",
    "spiking_feedback", "spiking_self_assembly", "theory", "winner_take_all",
)  # fmt: skip

MotifArgument = Annotated[str, typer.Argument(help="name of a motif, or a file of one: .json or .graphml")]


def load_motif(motif: str, layers: list[int]) -> cs.Motif:
    """A published motif by name, or one from a JSON file.

    Raises:
        typer.BadParameter: neither.
    """
    if motif in MOTIFS:
        return getattr(motifs, motif)(layers)
    path = Path(motif)
    if not path.is_file():
        raise typer.BadParameter(f"{motif!r} is no file and no motif (known: {', '.join(MOTIFS)})")
    return cs.read_motif(path)


def load_experiment(name: str) -> Experiment:
    """The function of the study of that name."""
    if name not in EXPERIMENTS:
        raise typer.BadParameter(f"no experiment {name!r} (known: {', '.join(EXPERIMENTS)})")
    experiment: Experiment = getattr(importlib.import_module(f"circuitsim.studies.{name}"), name)
    return experiment


def _sizes(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise typer.BadParameter(
            f"layers must be sizes with commas between them, such as 64,32,10 (got {text!r})"
        ) from None


@app.command()
def show(
    motif: MotifArgument,
    layers: Annotated[str, typer.Option(help="sizes, input to output, of a motif given by name")] = "64,32,32,10",
    out: Annotated[Path, typer.Option(help="picture to write, .png or .svg")] = Path("motif.png"),
) -> None:
    """Draw a motif, and print what a step of it does."""
    declared = load_motif(motif, _sizes(layers))
    declared.validate()
    for plan in cs.compile(declared).plans:
        console.print(str(plan), highlight=False, markup=False, soft_wrap=True)
    declared.draw(out)
    console.print(f"wrote {out}")


@app.command()
def train(
    motif: MotifArgument,
    dataset: DatasetOption = "digits",
    epochs: EpochsOption = None,
    replicas: Annotated[int, typer.Option(help="independent circuits")] = 1,
    seed: Annotated[int, typer.Option(help="of the first replica, and of the order of the data")] = 0,
    device: DeviceOption = "auto",
    out: OutOption = None,
    resume: Annotated[bool, typer.Option(help="go on from the run folder's checkpoint")] = False,
) -> None:
    """Train a motif on a data set; the circuit, its history and its checkpoint go into a run folder."""
    data = cs.load_dataset(dataset)
    setting = setting_for(dataset, epochs)
    if isinstance(data.n_features, dict) or isinstance(data.n_outputs, dict):
        raise typer.BadParameter(f"data set {dataset!r} has several inputs or objectives; use circuitsim.fit")
    declared = load_motif(motif, [data.n_features, *setting.hidden, data.n_outputs])
    out = out or Path("runs") / f"train_{declared.name}_{dataset}"
    circuit = cs.compile(declared, replicas=replicas, seed=seed, device=device)
    kept, every = out / "weights.npz", every_for(setting.epochs)
    weights = cs.WeightHistory.load(kept) if resume and kept.exists() else cs.WeightHistory()
    history = cs.fit(
        circuit, data, epochs=setting.epochs, batch_size=setting.batch_size, schedule="cosine", data_seed=seed,
        probes={"weights": cs.WeightProbe(every, path=kept, kept=weights), "alignment": aligned(circuit, data, every)},
        checkpoint=out / "checkpoint.safetensors", resume=resume,
    )  # fmt: skip
    history.save(out / "history.csv")
    circuit.save(out / "circuit.safetensors")
    options = {"motif": motif, "dataset": dataset, "replicas": replicas, "seed": seed}
    write_configuration({"title": f"{declared.name} on {dataset}", "options": options, **asdict(setting)}, out)
    table = history.to_pandas()
    last = table[table.split.isin(["train", "validation", "test"]) & (table.epoch == table.epoch.max())]
    figures = last.groupby(["split", "metric"], sort=False).value.agg(lambda x: spread(x, 4)).reset_index()
    console.print(as_rich_table(figures, f"{declared.name} on {dataset}, {replicas} replicas"))
    console.print(f"wrote {out}")


@app.command()
def view(
    run: Annotated[Path, typer.Argument(help="folder that `circuitsim train` or examples/self_assembly.py wrote")],
    out: Annotated[Path | None, typer.Option(help="page to write; by default view.html in the folder")] = None,
) -> None:
    """Write one page of HTML that shows a run: circuit, curves, weights over epochs. It needs no server, no network."""
    from circuitsim.studies.view import write_page  # here: only this command needs it

    console.print(f"wrote {write_page(run, out)}: open it in a browser")


@app.command()
def experiment(
    name: Annotated[str, typer.Argument(help=f"one of {', '.join(EXPERIMENTS)}")],
    dataset: DatasetOption = "digits",
    epochs: EpochsOption = None,
    seeds: SeedsOption = 5,
    quick: QuickOption = False,
    out: OutOption = None,
    device: DeviceOption = "auto",
    scheduler: SchedulerOption = None,
) -> None:
    """Run one of the paper's experiments: a table, figures, and how they compare with the paper."""
    chosen = load_experiment(name)
    console.print(inspect.getdoc(chosen), highlight=False)
    folder = out or Path("runs") / f"{name}_{dataset}"
    run_experiment(chosen, Options(dataset, epochs, seeds, quick, folder, device, scheduler=scheduler))


@app.command()
def tune(
    algorithms: Annotated[list[str] | None, typer.Argument(help=f"of {', '.join(ALGORITHMS)}; all by default")] = None,
    dataset: DatasetOption = "digits",
    epochs: EpochsOption = None,
    quick: QuickOption = False,
    out: OutOption = None,
    device: DeviceOption = "auto",
    scheduler: SchedulerOption = None,
) -> None:
    """Random search over each algorithm's own rates, with the same budget for all, on the validation split."""
    options = Options(dataset, epochs, 1, quick, out or Path("runs") / f"tune_{dataset}", device, scheduler=scheduler)
    run_experiment(functools.partial(tuning.tune, algorithms=algorithms or tuple(ALGORITHMS)), options)


@app.command()
def bench(
    rounds: Annotated[int, typer.Option(help="interleaved rounds; the table shows medians and quartiles")] = 20,
    quick: QuickOption = False,
    out: Annotated[Path, typer.Option(help="table to write")] = Path("runs/bench.csv"),
    device: DeviceOption = "auto",
) -> None:
    """Measure on this machine: steps over their matrix products and over rivals, replicas, memory, sparse synapses."""
    from circuitsim.studies.bench import bench as measure  # here: it needs what is in benchmarks/

    measure(rounds, quick, out, device)


def main() -> None:
    """Entry point: errors of circuitsim are messages, not tracebacks."""
    try:
        app()
    except cs.CircuitError as error:
        console.print(f"[red]error:[/red] {error}", highlight=False)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
