"""A description of the machine."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import torch


def machine(device: str = "auto") -> str:
    """Describe processor or GPU, cores, threads, load and versions in one line.

    Args:
        device: the device that is measured, as in `circuitsim.compile`.
    """
    on_gpu = torch.cuda.is_available() and not device.startswith("cpu")
    name = torch.cuda.get_device_name() if on_gpu else _processor()
    load = f"load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else "load unknown"
    return (
        f"{name}, {os.cpu_count()} cores, {torch.get_num_threads()} threads, {load}; torch {torch.__version__}, "
        f"Python {platform.python_version()}, {platform.system()}"
    )


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
