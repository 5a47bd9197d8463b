"""The state of a training run, from which another process goes on exactly where it stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.optim import Optimizer

_STEP = "step"
_DRAWN = "generators"


@dataclass(frozen=True)
class RunState:
    """Everything that an update changes; the order of the data is replayed from its seed.

    `kept` are tensors of the caller, filled as the run goes on; they are restored in place.
    """

    network: nn.Module
    generators: Sequence[Generator]
    kept: Mapping[str, Tensor]

    def saved(self, step: int, optimizer: Optimizer) -> dict[str, np.ndarray]:
        """As arrays, after `step` updates."""
        drawn = torch.stack([generator.get_state() for generator in self.generators])
        state = {_STEP: torch.tensor(step), _DRAWN: drawn}
        state |= {f"network/{name}": tensor for name, tensor in self.network.state_dict().items()}
        state |= {f"kept/{name}": tensor for name, tensor in self.kept.items()}
        for number, moments in optimizer.state_dict()["state"].items():
            for name, moment in moments.items():
                if moment is not None:
                    state[f"optimizer/{number}/{name}"] = torch.as_tensor(moment)
        # Copies: on a CPU, an array would share the memory that the next update writes to.
        return {name: tensor.cpu().numpy().copy() for name, tensor in state.items()}

    def restore(self, state: Mapping[str, np.ndarray], optimizer: Optimizer) -> int:
        """The number of updates done; `optimizer` is a fresh one of the same recipe."""
        tensors = {name: torch.from_numpy(np.array(array)) for name, array in state.items()}
        for generator, drawn in zip(self.generators, tensors[_DRAWN], strict=True):
            generator.set_state(drawn.clone())
        self.network.load_state_dict(_below("network/", tensors))
        for name, tensor in self.kept.items():
            tensor.copy_(tensors[f"kept/{name}"])
        moments: dict[int, dict[str, Tensor]] = {}
        for path, tensor in _below("optimizer/", tensors).items():
            number, _, name = path.partition("/")
            moments.setdefault(int(number), {})[name] = tensor
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": moments, "param_groups": groups})
        return int(tensors[_STEP])


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
