"""Brian2 is needed to export to it, and for nothing else."""

import subprocess
import sys

import pytest

import circuitsim as cs
from motifs import paper_sal


def test_importing_circuitsim_does_not_import_brian2():
    code = "import sys, circuitsim, circuitsim.export; sys.exit('brian2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_export_leaves_it_to_python_to_show_later_errors():
    pytest.importorskip("brian2")
    code = (
        "import sys, circuitsim as cs, motifs\n"
        "cs.export_brian2(cs.compile(motifs.paper_sal([4, 3, 2]), device='cpu'))\n"
        "sys.exit(sys.excepthook is not sys.__excepthook__)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_exporting_without_brian2_says_how_to_get_it(monkeypatch):
    from circuitsim.export import export_brian2

    monkeypatch.setitem(sys.modules, "brian2", None)
    circuit = cs.compile(paper_sal([4, 3, 2]), device="cpu")
    for kind in (ImportError, cs.CircuitError):
        with pytest.raises(kind, match=r"pip install 'circuitsim\[spiking\]'"):
            export_brian2(circuit)
