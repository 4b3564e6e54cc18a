"""The memory of this machine, against which sizes are checked before anything is allocated."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def machine_bytes() -> int | None:
    """The memory of this machine or of this process's container, or None if it is unknown."""
    found = []
    with contextlib.suppress(ValueError, OSError, AttributeError):  # not on every system
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with contextlib.suppress(ValueError, OSError):  # ValueError if the limit is "max"
        found.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return min(found, default=None)
