"""The processes that run one `fit` together, started by torchrun or by the user."""

from __future__ import annotations

import atexit
import hashlib
import json
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, distributed

from circuitsim.engine.share import ALONE, Processes
from circuitsim.errors import ParameterError


class Team:
    """The processes of the default group of `torch.distributed`; one process is a team too.

    Under torchrun the group is made here where the script has not made it: NCCL for a circuit on a GPU, else gloo.

    Args:
        device: of the circuit; what is sent lies there.
        together: False for a team of one, whatever groups there are.
    """

    def __init__(self, device: torch.device, together: bool = True) -> None:
        self.device, self.processes = device, ALONE
        if together and distributed.is_available():
            if distributed.is_torchelastic_launched() and not distributed.is_initialized():
                distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
                atexit.register(distributed.destroy_process_group)
            if distributed.is_initialized():
                self.processes = Processes(distributed.get_rank(), distributed.get_world_size())

    @property
    def is_alone(self) -> bool:
        """Whether it has one process."""
        return self.processes.n == 1

    @property
    def leads(self) -> bool:
        """Whether this process evaluates, probes, writes and shows progress for all."""
        return self.processes.rank == 0

    def any(self, flag: bool) -> bool:
        """Whether a process has the flag; all must ask."""
        return flag if self.is_alone else bool(self._sum(torch.tensor(float(flag))) > 0)

    def check_agreement(self, description: Any) -> None:
        """Compare what all processes are about to do.

        Args:
            description: anything that JSON can hold.
        Raises:
            ParameterError: they differ, here as everywhere; going on would mix two runs.
        """
        digest = hashlib.sha256(json.dumps(description, sort_keys=True).encode()).digest()
        ours = torch.tensor(list(digest), dtype=torch.float64)
        leaders = self._from_leader(ours)
        if self.any(not torch.equal(ours, leaders)):
            raise ParameterError(
                f"fit: {self.processes.n} processes run together, but differ in motif, seed, settings, number of "
                "batches or checkpoint: run the same script everywhere, keep the checkpoint where all processes see "
                "it, or pass distributed=False to run them apart"
            )

    def share(self, tensors: Iterable[Tensor]) -> None:
        """Give everybody the leader's values, in place."""
        for tensor in tensors if not self.is_alone else ():
            tensor.copy_(self._from_leader(tensor))

    def text(self, ours: str) -> str:
        """The leader's text."""
        if self.is_alone:
            return ours
        encoded = torch.tensor(list(ours.encode()), dtype=torch.uint8)
        length = int(self._from_leader(torch.tensor([len(encoded)])))
        padded = encoded if self.leads else torch.zeros(length, dtype=torch.uint8)
        return bytes(self._from_leader(padded).tolist()).decode()

    def _sum(self, tensor: Tensor) -> Tensor:
        total = tensor.to(self.device)
        distributed.all_reduce(total)
        return total.cpu()

    def _from_leader(self, tensor: Tensor) -> Tensor:
        if self.is_alone:
            return tensor
        sent = tensor.to(self.device, copy=True).contiguous()
        distributed.broadcast(sent, src=0)
        return sent.to(tensor.device)
