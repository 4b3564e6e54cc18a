"""The hooks of pre-commit are the linters of .ci/run, and need no network."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def test_hooks_and_ci_run_the_same_linters():
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert local["repo"] == "local" and {hook["language"] for hook in local["hooks"]} == {"system"}
    hooks = {hook["entry"].removesuffix(" --force-exclude") for hook in local["hooks"]}
    ci = re.findall(r"^\.venv/bin/((?:ruff|mypy|lint-imports).*)$", (ROOT / ".ci" / "run").read_text(), re.M)
    assert hooks == {re.sub(r"( --check)? \.$", "", line) for line in ci}
