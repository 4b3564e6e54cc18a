"""The programs that circuitsim is compared with, written by hand for speed, as a user of each framework would.

Each file makes a step: a function of (x ``[batch, input]``, classes ``[batch]``) that has finished its work when it
returns. The programs do not use circuitsim, validate their data, or compute a loss that they do not need.
"""

from collections.abc import Callable

from torch import Tensor

ETA, GAMMA = 1e-3, 1e-4  # small, so that nothing runs away; rates do not affect timing

Step = Callable[[Tensor, Tensor], object]
