"""The commands of the experiments on theory, rates, pathways, representations and local losses."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = ("theory", "learning_rates", "pathway_ablation", "representations", "local_losses")


@pytest.mark.parametrize("name", NAMES)
def test_the_file_holds_the_experiment_of_its_name_and_says_how_to_run_it(name):
    found = runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="imported")
    assert callable(found[name]) and "arXiv 2412.20018" in found[name].__doc__
    assert f"python examples/{name}.py --quick" in found["__doc__"]


def test_a_command_runs_from_anywhere_and_writes_its_run_folder(tmp_path):
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "learning_rates.py"), "--quick", "--epochs", "1", "--seeds", "1"],
        capture_output=True, text=True, timeout=280, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "runs" / "learning_rates_digits"
    table = pd.read_csv(folder / "table.csv")
    assert len(table) == 6 and set(table.circuit) == {"SAL", "SGD"}
    assert json.loads((folder / "configuration.json").read_text())["options"]["epochs"] == 1
    assert "wrote" in done.stdout
