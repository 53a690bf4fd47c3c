"""Networks that show what their hidden layers make of a row, beside its scores."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from semikd._validation import Shown, counted, invalid, wrong_type
from semikd.nets.native import Scope

__all__ = ["Observed", "found_layer", "last_hidden", "layer_outputs", "run_and_see"]

# Names in a message.
_SHOWN = 40


class Observed(nn.Module):
    """A network whose answer is its scores and, behind them, some hidden layers.

    What a layer made of a row is flattened, so that an answer has shape (b, m + q). The
    layers of an objective, such as connectors, are parameters that no score reads.

    Parameters
    ----------
    network : torch.nn.Module
        Takes rows (b, ...) to scores (b, m).
    layers : sequence of str
        Names of the layers that are shown, each once.
    extra : mapping of Tensor, optional
        First values of what the objective trains beside the network, by names without
        a dot.

    Examples
    --------
    >>> import torch
    >>> from semikd.nets import Observed, mlp
    >>> Observed(mlp(3, (8,), 2), ["1"])(torch.zeros(5, 3)).shape
    torch.Size([5, 10])
    """

    def __init__(
        self,
        network: nn.Module,
        layers: Sequence[str],
        extra: Mapping[str, Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.layers = tuple(layers)
        for name, tensor in (extra or {}).items():
            self.register_parameter(name, nn.Parameter(tensor.clone()))

    def forward(self, x: Tensor) -> Tensor:
        """Return scores and hidden layers, (b, m + q)."""
        scores, seen = run_and_see(self.network, self.layers, x)
        return torch.cat([scores, *(each.flatten(1) for each in seen)], dim=1)

    def forward_members(self, scope: Scope, x: Tensor) -> Tensor:
        """Return scores and hidden layers of all members, (M, b, m + q)."""
        scores, seen = scope.watch("network", x, self.layers)
        # Layers without parameters, on rows that members share, ran once for all.
        parts = [each.flatten(2).expand(len(scores), -1, -1) for each in seen]
        return torch.cat([scores, *parts], dim=2)


def run_and_see(
    network: nn.Module, layers: Sequence[str], x: Tensor
) -> tuple[Tensor, list[Tensor]]:
    """Return the scores of rows, and what layers made of them.

    Parameters
    ----------
    network : torch.nn.Module
        Takes rows (b, ...) to scores (b, m).
    layers : sequence of str
        Names of its layers.
    x : Tensor of shape (b, ...)
        Rows.

    Returns
    -------
    scores : Tensor of shape (b, m)
    seen : list of Tensor of shape (b, ...)
        In the order of the names; of a layer that runs more than once the last.

    Examples
    --------
    >>> import torch
    >>> from semikd.nets import mlp
    >>> from semikd.nets.observed import run_and_see
    >>> scores, (hidden,) = run_and_see(mlp(3, (8,), 2), ["0"], torch.zeros(5, 3))
    >>> hidden.shape
    torch.Size([5, 8])
    """
    seen: dict[str, Any] = {}
    # Hooks that last would be copied with the module, and note for the original.
    hooks = [
        network.get_submodule(name).register_forward_hook(_noting(seen, name))
        for name in layers
    ]
    try:
        scores: Tensor = network(x)
    finally:
        for hook in hooks:
            hook.remove()
    return scores, [seen[name] for name in layers]


def layer_outputs(network: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """Return what each layer makes of rows, by name, in the order in which they end.

    Parameters
    ----------
    network : torch.nn.Module
        Any network; it is run once, as it answers when nobody trains it.
    x : Tensor of shape (b, ...)
        Rows.

    Returns
    -------
    dict of Tensor
        Layers that give a tensor (b, ...); the network itself is not among them.

    Examples
    --------
    >>> import torch
    >>> from semikd.nets import mlp
    >>> from semikd.nets.observed import layer_outputs
    >>> list(layer_outputs(mlp(3, (8,), 2), torch.zeros(5, 3)))
    ['0', '1', '2']
    """
    return {name: out for name, _, out in _trace(network, x)}


def last_hidden(network: nn.Module, x: Tensor, *, maps: bool = False) -> str:
    """Return the name of the last hidden layer: what goes into the last linear map.

    It is seen before dropout thins it out.

    Parameters
    ----------
    network : torch.nn.Module
        Any network.
    x : Tensor of shape (b, ...)
        A few rows.
    maps : bool, default=False
        Whether the last layer with maps of more than one pixel is meant.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If there is none, or it has no name.

    Examples
    --------
    >>> import torch
    >>> from semikd.nets import mlp
    >>> from semikd.nets.observed import last_hidden
    >>> last_hidden(mlp(3, (8, 4), 2), torch.zeros(5, 3))
    '3'
    """
    trace = _trace(network, x)
    if maps:
        found = [n for n, _, out in trace if out.ndim == 4 and out[0, 0].numel() > 1]
        if found:
            return found[-1]
        shown = Shown(f"none in {_listed(network)}")
        raise invalid("a layer", "give maps of several pixels", shown)
    heads = [
        args[0]
        for name, args, _ in trace
        if isinstance(network.get_submodule(name), nn.Linear)
    ]
    if heads:
        for name, _, out in trace:
            if out is heads[-1]:
                return name
    shown = Shown(f"none that leads into a last linear map, in {_listed(network)}")
    remedy = (
        "Name one of these layers, make what goes into that map a layer (a module, not "
        "a function), or use a network with a hidden layer"
    )
    raise invalid("the network", "have a last hidden layer", shown, remedy)


def found_layer(
    network: nn.Module, name: str | None, x: Tensor, *, what: str, maps: bool = False
) -> tuple[str, torch.Size]:
    """Return the name of a layer and the shape of what it makes of a row.

    Parameters
    ----------
    network : torch.nn.Module
        Any network.
    name : str or None
        What the user wrote; None is the last hidden layer.
    x : Tensor of shape (b, ...)
        A few rows.
    what : str
        Whose layer it is, as the parameter is called.
    maps : bool, default=False
        Whether None is the last layer with maps.

    Raises
    ------
    ValueError
        If the name is that of no layer, or the layer gives no tensor.
    TypeError
        If it is no name.

    Examples
    --------
    >>> import torch
    >>> from semikd.nets import mlp
    >>> from semikd.nets.observed import found_layer
    >>> found_layer(mlp(3, (8,), 2), None, torch.zeros(5, 3), what="student_layer")
    ('1', torch.Size([8]))
    """
    if name is None:
        name = last_hidden(network, x, maps=maps)
    elif not isinstance(name, str):
        raise wrong_type(what, "be the name of a layer or None", name)
    if name not in dict(network.named_modules()) or not name:
        known = Shown(f"{name!r}; there are {_listed(network)}")
        raise invalid(what, "name a layer of the network", known)
    outputs = layer_outputs(network, x)
    if name not in outputs:
        shown = Shown(f"{name!r}, which {_made_instead(network, name, x)}")
        raise invalid(what, "name a layer that gives a tensor of its rows", shown)
    return name, outputs[name].shape[1:]


def _made_instead(network: nn.Module, name: str, x: Tensor) -> str:
    """Return what a layer makes that is no tensor of its rows."""
    seen: dict[str, Any] = {}
    quiet = copy.deepcopy(network).eval()
    quiet.get_submodule(name).register_forward_hook(_noting(seen, name))
    with torch.no_grad():
        quiet(x)
    if name not in seen:
        return "does not run"
    made = seen[name]
    if isinstance(made, Tensor):
        return (
            f"gives a tensor of shape {tuple(made.shape)} for {counted(len(x), 'row')}"
        )
    return f"gives a {type(made).__name__}"


def _noting(seen: dict[str, Any], name: str) -> Any:
    """Return a hook that notes what a layer made."""

    def note(_: nn.Module, __: object, out: object) -> None:
        seen[name] = out

    return note


def _trace(network: nn.Module, x: Tensor) -> list[tuple[str, tuple[Any, ...], Tensor]]:
    """Return name, arguments and output of each layer as it ran."""
    found: list[tuple[str, tuple[Any, ...], Tensor]] = []

    def noting(name: str) -> Any:
        def note(_: nn.Module, args: tuple[Any, ...], out: object) -> None:
            if isinstance(out, Tensor) and len(out) == len(x):
                found.append((name, args, out))

        return note

    # A copy: neither hooks nor the way it runs are changed for anybody.
    quiet = copy.deepcopy(network).eval()
    for name, layer in quiet.named_modules():
        if name:
            layer.register_forward_hook(noting(name))
    with torch.no_grad():
        quiet(x)
    return found


def _listed(network: nn.Module) -> str:
    """Return the names of the layers, in quotes."""
    names = [repr(name) for name, _ in network.named_modules() if name]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more or "no layers"
