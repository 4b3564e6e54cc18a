"""The README's snippet runs as printed, and .ci/run calls its test command."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def commands() -> list[str]:
    return [block.strip() for block in re.findall(r"```bash\n(.*?)```", README, re.S)]


def test_ci_runs_exactly_the_test_command():
    install, test = commands()
    assert "examples/self_assembly.py" in install and test.endswith("-m pytest")
    assert test in (ROOT / ".ci" / "run").read_text().splitlines()


def test_the_snippet_runs_as_printed_and_learns(tmp_path):
    (snippet,) = re.findall(r"```python\n(.*?)```", README, re.S)
    assert len(snippet.splitlines()) <= 30
    done = subprocess.run(
        [sys.executable, "-c", snippet], cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
    accuracies = [float(x) for x in re.findall(r"0\.\d+", done.stdout.split("]")[0])]
    assert len(accuracies) == 8 and min(accuracies) > 0.8
    assert "Synapse(projection='W0'" in done.stdout
    assert (tmp_path / "motif.png").stat().st_size > 10_000


def test_every_file_that_the_readme_links_to_is_there():
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if not link.startswith("http")]
    assert links
    assert [link for link in links if not (ROOT / link.partition("#")[0]).exists()] == []
