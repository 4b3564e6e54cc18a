"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import torch


def machine() -> str:
    """Processor or GPU, cores, threads, load, versions: one line."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else _processor()
    load = f"load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else "load unknown"
    return (
        f"{device}, {os.cpu_count()} cores, {torch.get_num_threads()} threads, {load}; torch {torch.__version__}, "
        f"Python {platform.python_version()}, {platform.system()}"
    )


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
