"""From whatever a network is named by to one architecture, and to a file and back.

Nothing here imports torch before a network is built.
"""

import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from semikd._validation import Shown, choose, invalid, unknown, wrong_type
from semikd.networks.base import Architecture
from semikd.networks.convolutional import ResNet, SmallCNN
from semikd.networks.perceptron import MLP
from semikd.networks.shapes import InputShape

if TYPE_CHECKING:
    import torch
    from torch import nn

__all__ = [
    "Architecture",
    "CustomFactory",
    "Factory",
    "InputShape",
    "as_architecture",
    "from_spec",
    "to_spec",
]

Factory = Callable[[tuple[int, ...], int], "nn.Module"]

_NAMED: dict[str, type[Architecture]] = {
    kind.name: kind for kind in (MLP, ResNet, SmallCNN)
}


class CustomFactory(Architecture):
    """A function that builds a network.

    Parameters
    ----------
    factory : callable
        The shape of a row, (columns,) or (channels, height, width), and the number of
        scores m to a ``torch.nn.Module`` that takes rows (b, ...) to scores (b, m). A
        row of a table holds numbers first and then the positions of its categories.

    Notes
    -----
    Layers of ``torch.nn.Dropout`` are replaced by those of the engine, whose noise
    comes from the seed of the fit.

    Examples
    --------
    >>> from torch import nn
    >>> from semikd.networks import CustomFactory, InputShape
    >>> spec = CustomFactory(lambda row, m: nn.Linear(row[0], m))
    >>> spec.n_parameters(InputShape.table(3), 2)
    8
    """

    name = "custom"
    reads_images = None

    def __init__(self, factory: Factory) -> None:
        self.factory = factory

    @property
    def source(self) -> str:
        """Where the factory is from, as module:name."""
        made = self.factory
        while isinstance(made, partial):
            made = made.func
        named = made if hasattr(made, "__qualname__") else type(made)
        return f"{named.__module__}:{named.__qualname__}"

    def check(self) -> None:
        """Refuse what is no function that builds a network."""
        if not callable(self.factory) or _is_module(self.factory):
            constraint = "be a function that builds a network"
            remedy = "Wrap it: lambda row, n_outputs: ..."
            shown = Shown(type(self.factory).__name__)
            raise wrong_type("module", constraint, shown, remedy)

    def module(self, inputs: InputShape, n_outputs: int) -> "nn.Module":
        """Return what the factory builds, checked on two rows."""
        module = self._called(inputs, n_outputs)
        other = self._called(inputs, n_outputs)
        own = {id(parameter) for parameter in module.parameters()}
        if module is other or any(id(p) in own for p in other.parameters()):
            constraint = "build new layers in each call"
            remedy = "Make the layers inside of the function"
            shown = Shown("the same parameters twice")
            raise invalid(f"module {self.source}", constraint, shown, remedy)
        del other
        self._check_scores(module, inputs, n_outputs)
        return module

    def outline(
        self,
        inputs: InputShape,
        n_outputs: int,
        dtype: "torch.dtype | None" = None,
    ) -> "nn.Module":
        """Return a network for its shapes, without memory where it can be so built."""
        from semikd import nets

        try:
            return super().outline(inputs, n_outputs, dtype)
        # A function that computes while it builds needs numbers to compute with.
        except Exception:
            return nets.seeded(lambda: self.build(inputs, n_outputs, dtype), 0)

    def _called(self, inputs: InputShape, n_outputs: int) -> "nn.Module":
        """Return what the factory builds."""
        module = self.factory(inputs.row, n_outputs)
        if not _is_module(module):
            constraint = "return a torch.nn.Module"
            shown = Shown(type(module).__name__)
            raise wrong_type(f"module {self.source}", constraint, shown)
        return module

    def _check_scores(
        self, module: "nn.Module", inputs: InputShape, n_outputs: int
    ) -> None:
        """Try the network on two rows."""
        import torch

        name = f"module {self.source}"
        was_training = module.training
        like = next(module.parameters(), torch.empty(0))
        rows = torch.zeros((2, *inputs.row), dtype=like.dtype)
        try:
            with torch.no_grad():
                scores = module.eval()(rows)
        # A network of somebody else's may fail in any way.
        except Exception as error:
            constraint = f"take rows of shape {(2, *inputs.row)}"
            shown = Shown(f"{type(error).__name__}: {' '.join(str(error).split())}")
            raise invalid(name, constraint, shown) from error
        finally:
            module.train(was_training)
        found = tuple(scores.shape) if isinstance(scores, torch.Tensor) else None
        if found != (2, n_outputs):
            shown = Shown(str(found or type(scores).__name__))
            constraint = f"give scores of shape {(2, n_outputs)} for two rows"
            remedy = f"Its last layer needs {n_outputs} outputs"
            raise invalid(name, constraint, shown, remedy)


def as_architecture(module: object) -> Architecture:
    """Return the architecture that is meant, its settings checked.

    Parameters
    ----------
    module : Architecture, sequence of int, str or callable
        Itself; the hidden layers of an ``MLP``; the name of one; or a factory.

    Returns
    -------
    Architecture

    Raises
    ------
    TypeError
        If it is none of these.
    ValueError
        If a setting is out of its range, or the name is unknown.

    Examples
    --------
    >>> from semikd.networks import as_architecture
    >>> as_architecture((32, 16))
    MLP(hidden_layer_sizes=(32, 16))
    """
    found = _meant(module)
    found.check()
    return found


def to_spec(architecture: Architecture) -> dict[str, Any]:
    """Return an architecture as JSON values.

    Parameters
    ----------
    architecture : Architecture
        One that has a name, or a function.

    Returns
    -------
    dict

    Raises
    ------
    TypeError
        If the architecture has no name in a file.

    Examples
    --------
    >>> from semikd.networks import ResNet
    >>> from semikd.networks.architectures import to_spec
    >>> to_spec(ResNet(14))
    {'name': 'resnet', 'settings': {'depth': 14}}
    """
    if isinstance(architecture, CustomFactory):
        return {"name": "custom", "factory": architecture.source}
    if type(architecture) is not _NAMED.get(architecture.name):
        shown = Shown(type(architecture).__name__)
        remedy = "Pass a function that builds the network instead"
        known = ", ".join(kind.__name__ for kind in _NAMED.values())
        raise wrong_type("architecture", f"be one of {known}", shown, remedy)
    settings = {
        name: _plain(value)
        for name, value in architecture.get_params(deep=False).items()
    }
    return {"name": architecture.name, "settings": settings}


def from_spec(
    spec: Mapping[str, Any], *, factory: Factory | None = None
) -> Architecture:
    """Return the architecture that ``to_spec`` described.

    Parameters
    ----------
    spec : mapping
        JSON values.
    factory : callable, optional
        The function that built the network, where it was a function.

    Returns
    -------
    Architecture

    Raises
    ------
    ValueError
        If there is no such architecture, or a function is needed and not given.

    Examples
    --------
    >>> from semikd.networks.architectures import from_spec
    >>> from_spec({"name": "resnet", "settings": {"depth": 14}})
    ResNet(depth=14)
    """
    known = [*_NAMED, CustomFactory.name]
    name = spec.get("name")
    if name == CustomFactory.name:
        if factory is None:
            constraint = "be passed for a network that a function built"
            remedy = "Pass that function as factory=..."
            shown = Shown(f"none for {spec.get('factory')!r}")
            raise invalid("factory", constraint, shown, remedy)
        return as_architecture(CustomFactory(factory))
    if not isinstance(name, str) or name not in _NAMED:
        raise unknown("architecture", name, known)
    kind = _NAMED[name]
    settings = dict(spec["settings"])
    if set(settings) != set(kind._get_param_names()):
        wanted = ", ".join(kind._get_param_names())
        constraint = f"have the settings {wanted}"
        raise invalid(f"architecture {name!r}", constraint, sorted(settings))
    return as_architecture(
        kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()})
    )


def _meant(module: object) -> Architecture:
    """Return the architecture that is meant, unchecked."""
    if isinstance(module, Architecture):
        return module
    if isinstance(module, str):
        return choose("module", module, _NAMED)()
    if isinstance(module, list | tuple):
        return MLP(tuple(module))
    if _is_module(module):
        remedy = "Pass a function that builds it: lambda row, n_outputs: ..."
        shown = Shown(f"a {type(module).__name__}")
        raise wrong_type("module", "be built anew for each fit", shown, remedy)
    if callable(module):
        return CustomFactory(module)
    constraint = "be hidden layer sizes, an architecture or a function that builds one"
    raise wrong_type("module", constraint, module, "Use (64, 64) for two hidden layers")


def _is_module(value: object) -> bool:
    """Return whether something is a network already, without importing torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)


def _plain(value: Any) -> Any:
    """Return a setting as a JSON value."""
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value.item() if hasattr(value, "item") else value
