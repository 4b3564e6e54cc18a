"""The processes, started by torchrun or by the user, that run one `fit` together."""

from __future__ import annotations

import atexit
import hashlib
import json
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, distributed

from circuitsim.engine.batch_shard import ALONE, Processes
from circuitsim.errors import ParameterError


class ProcessGroup:
    """The default process group of `torch.distributed`, or a group of a single process.

    Under torchrun, the group is created here unless the script has done so, with NCCL for a circuit on a GPU and
    with gloo otherwise. Without `use_group` it is this process alone.
    """

    def __init__(self, device: torch.device, use_group: bool = True) -> None:
        self.device, self.processes = device, ALONE
        if use_group and distributed.is_available():
            if distributed.is_torchelastic_launched() and not distributed.is_initialized():
                distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
                atexit.register(distributed.destroy_process_group)
            if distributed.is_initialized():
                self.processes = Processes(distributed.get_rank(), distributed.get_world_size())

    @property
    def is_single(self) -> bool:
        """Whether the group has only one process."""
        return self.processes.n == 1

    @property
    def is_leader(self) -> bool:
        """Whether this process evaluates, probes, writes files and shows progress for the group."""
        return self.processes.rank == 0

    def any(self, flag: bool) -> bool:
        """Return whether any process has set its flag. All processes must call this."""
        return flag if self.is_single else bool(self._sum(torch.tensor(float(flag))) > 0)

    def check_agreement(self, description: Any) -> None:
        """Refuse in every process to mix two runs, whose descriptions, which JSON can represent, differ."""
        digest = hashlib.sha256(json.dumps(description, sort_keys=True).encode()).digest()
        ours = torch.tensor(list(digest), dtype=torch.float64)
        leaders = self._from_leader(ours)
        if self.any(not torch.equal(ours, leaders)):
            raise ParameterError(
                f"fit: {self.processes.n} processes run together, but differ in motif, seed, settings, number of "
                "batches or checkpoint: run the same script everywhere, keep the checkpoint where all processes can "
                "read it, or pass distributed=False to run them separately"
            )

    def share(self, tensors: Iterable[Tensor]) -> None:
        """Copy the leader's values into the tensors of all processes."""
        for tensor in tensors if not self.is_single else ():
            tensor.copy_(self._from_leader(tensor))

    def text(self, ours: str) -> str:
        """Return the leader's text in every process."""
        if self.is_single:
            return ours
        encoded = torch.tensor(list(ours.encode()), dtype=torch.uint8)
        length = int(self._from_leader(torch.tensor([len(encoded)])))
        padded = encoded if self.is_leader else torch.zeros(length, dtype=torch.uint8)
        return bytes(self._from_leader(padded).tolist()).decode()

    def _sum(self, tensor: Tensor) -> Tensor:
        total = tensor.to(self.device)
        distributed.all_reduce(total)
        return total.cpu()

    def _from_leader(self, tensor: Tensor) -> Tensor:
        if self.is_single:
            return tensor
        sent = tensor.to(self.device, copy=True).contiguous()
        distributed.broadcast(sent, src=0)
        return sent.to(tensor.device)
