"""Randomness of a member's own: noise for its dropout, and a generator to draw from.

What a member draws must depend neither on the members beside it nor on what ran before,
and torch's global generators must stay as they are.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from semikd.nets.layers import Dropout


def noise_widths(module: nn.Module, example: Tensor) -> dict[str, torch.Size]:
    """Return the noise that a row needs in each dropout, by the name of the buffer."""
    widths: dict[str, torch.Size] = {}
    hooks = []
    for path, layer in module.named_modules():
        if isinstance(layer, Dropout):
            name = f"{path}.noise" if path else "noise"

            def note(_: nn.Module, __: object, out: Tensor, name: str = name) -> None:
                widths[name] = out.shape[1:]

            hooks.append(layer.register_forward_hook(note))
    with torch.no_grad(), globals_kept(example.device):
        module.eval()(example)
    for hook in hooks:
        hook.remove()
    return widths


@contextmanager
def globals_kept(device: torch.device) -> Iterator[None]:
    """Put torch's global generators of processor and device back after a block."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        yield


@contextmanager
def lent_to_torch(generator: torch.Generator) -> Iterator[None]:
    """Let what draws from torch's global generator draw from this one for a while."""
    with globals_kept(generator.device):
        stand_in = global_generator(generator.device)
        stand_in.set_state(generator.get_state())
        try:
            yield
        finally:
            generator.set_state(stand_in.get_state())


def global_generator(device: torch.device) -> torch.Generator:
    """Return torch's own generator of a device."""
    if device.type == "cpu":
        return torch.default_generator
    index = torch.cuda.current_device() if device.index is None else device.index
    found: torch.Generator = torch.cuda.default_generators[index]
    return found
