"""The commands of the experiments on theory, rates, pathways, representations and local losses."""

import json
import runpy
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


def test_a_command_writes_its_run_folder_where_it_is_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["learning_rates.py", "--quick", "--epochs", "1", "--seeds", "1"])
    with pytest.raises(SystemExit) as left:  # typer leaves so, also when all went well
        runpy.run_path(str(EXAMPLES / "learning_rates.py"), run_name="__main__")
    assert left.value.code in (0, None)
    folder = tmp_path / "runs" / "learning_rates_digits"
    table = pd.read_csv(folder / "table.csv")
    assert len(table) == 6 and set(table.circuit) == {"SAL", "SGD"}
    assert json.loads((folder / "configuration.json").read_text())["options"]["epochs"] == 1
    assert "wrote" in capsys.readouterr().out
