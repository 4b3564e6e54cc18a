"""Watch a two-stream circuit assemble itself from random connectivity while it learns.

    python examples/self_assembly.py
    python examples/self_assembly.py --dataset fashion_mnist --replicas 5 --out runs/fashion

Trains SAL (Liao et al. 2024, arXiv 2412.20018), its baselines and its controls on the same data, several replicas
each; prints a table and writes figures, table and history into a run folder.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

import circuitsim as cs
from circuitsim.studies import self_assembly as study
from circuitsim.studies.experiment import as_rich_table, write_report
from circuitsim.studies.self_assembly_movie import write_movie


def main(
    dataset: Annotated[str, typer.Option(help="digits, fashion_mnist, mnist or teacher")] = "digits",
    epochs: Annotated[
        int | None, typer.Option(help="passes over the training data; fits the data set by default")
    ] = None,
    replicas: Annotated[int, typer.Option(help="independent circuits per row")] = 5,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
    seed: Annotated[int, typer.Option(help="of the first replica, and of the order of the data")] = 0,
    out: Annotated[Path | None, typer.Option(help="run folder; by default runs/self_assembly_DATASET")] = None,
) -> None:
    """Self-assembly of SAL beside its baselines and controls."""
    console = Console()
    data = cs.load_dataset(dataset)
    setting = study.setting_for(dataset, epochs)
    layers = [data.n_features, *setting.hidden, data.n_outputs]
    out = out or Path("runs") / f"self_assembly_{dataset}"
    console.print(f"{data}\nlayers {layers}, {setting.epochs} epochs, batch {setting.batch_size}, {replicas} replicas")
    runs = []
    for label, make in study.rows_for(dataset).items():
        run = study.run_row(
            label, make(layers), data, setting, replicas=replicas, seed=seed, device=device, progress=True
        )
        runs.append(run)
        if run.history.interrupted:
            console.print("[yellow]interrupted: writing what there is")
            break
    configuration = {"layers": layers, "setting": asdict(setting)}
    report = study.report(runs, configuration)
    write_report(report, out, {"dataset": dataset, "epochs": epochs, "replicas": replicas, "seed": seed})
    runs[0].circuit.save(out / "circuit.safetensors")
    runs[0].kept.save(out / "weights.npz")
    write_movie(runs[0].circuit.motif, runs[0].kept, runs[0].history, out / "self_assembly.gif")
    console.print(as_rich_table(report.table, report.title))
    console.print(report.notes)
    console.print("wrote " + ", ".join(str(path) for path in sorted(out.iterdir())))


if __name__ == "__main__":
    typer.run(main)
