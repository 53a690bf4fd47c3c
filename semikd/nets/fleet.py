"""Training any number of networks: those that can run together do.

Members are put together by architecture, and in chunks that the device has room for.
"""

import warnings
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from semikd._progress import Reporter, Step, silent
from semikd._validation import counted
from semikd.exceptions import SemikdWarning
from semikd.nets.loop import Listener, Loop
from semikd.nets.rows import ResidentRows, Rows
from semikd.nets.training import (
    Deadline,
    Epoch,
    Member,
    Objective,
    Trained,
    TrainingOptions,
)


def train(
    members: Sequence[Member],
    inputs: Tensor | Rows,
    objective: Objective,
    *,
    options: TrainingOptions | None = None,
    listen: Listener | None = None,
    progress: Reporter = silent,
) -> list[Trained]:
    """Train networks, all at once where they share an architecture.

    A member with validation rows ends at its best epoch, else at its last. What it
    becomes does not depend on the other members, but for the last digits of its sums.

    Parameters
    ----------
    members : sequence of Member
        Networks with their rows, seeds and settings, on the device of the inputs.
    inputs : Tensor of shape (n, ...) or Rows
        All rows, training and validation.
    objective : callable
        Scores (M, b, m) and a ``Batch`` to the loss of each row, (M, b).
    options : TrainingOptions, optional
        How all of them are trained.
    listen : callable, optional
        Called with a member's place and each ``Epoch``; True ends its training.
    progress : callable
        Called with a step as each epoch starts, and at last.

    Returns
    -------
    list of Trained
        In the order of the members.

    Raises
    ------
    ValueError
        If the loss or a parameter of a member is no longer finite.

    Warns
    -----
    SemikdWarning
        If the device ran out of memory and fewer members are trained at once.

    Examples
    --------
    >>> import torch
    >>> from semikd.nets import Member, TrainingOptions, mlp, train
    >>> x = torch.linspace(-1, 1, 20)[:, None]
    >>> lines = [
    ...     Member(mlp(1, (), 1), torch.arange(20), learning_rate=0.1) for _ in "ab"
    ... ]
    >>> fitted = train(
    ...     lines,
    ...     x,
    ...     lambda f, batch: ((f - 2 * x[batch.rows]) ** 2).mean(dim=2),
    ...     options=TrainingOptions(batch_size=None),
    ... )
    >>> [one.history[-1].train_loss < 0.01 for one in fitted]
    [True, True]
    """
    options = options or TrainingOptions()
    rows = ResidentRows(inputs) if isinstance(inputs, Tensor) else inputs
    total = max((member.max_epochs for member in members), default=0)
    deadline = Deadline(options.time_limit)
    found: dict[int, Trained] = {}
    groups = _groups(members)
    for number, places in enumerate(groups, 1):

        def run(chunk: list[int], number: int = number) -> list[Trained]:
            label = _label(len(chunk), number, len(groups))
            loop = Loop(
                [members[m] for m in chunk],
                chunk,
                rows,
                objective,
                options,
                listen or _deaf,
                deadline,
            )
            return loop.run(_reporting(progress, label, total))

        most = options.max_members or len(places)
        chunks = [places[at : at + most] for at in range(0, len(places), most)]
        for chunk in chunks:
            found.update(_halving(run, chunk))
    return [found[m] for m in range(len(members))]


def _deaf(_: int, __: Epoch) -> None:
    """Listen to nothing."""


def _groups(members: Sequence[Member]) -> list[list[int]]:
    """Return the members that can run together, by place."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for place, member in enumerate(members):
        state = member.module.state_dict()
        shapes = tuple((name, tensor.shape) for name, tensor in state.items())
        key: tuple[object, ...] = (str(member.module), shapes)
        if any("running_mean" in name for name in state):
            # Padding would count in the statistics of a batch.
            key += (len(member.training),)
        groups.setdefault(key, []).append(place)
    return list(groups.values())


def _halving(
    run: Callable[[list[int]], list[Trained]], chunk: list[int]
) -> dict[int, Trained]:
    """Train members at once, or in halves where the device has too little memory."""
    try:
        return dict(zip(chunk, run(chunk), strict=True))
    except torch.OutOfMemoryError:
        if len(chunk) == 1:
            raise
    # Outside of the handler: the error holds on to the tensors that were in use.
    half = -(-len(chunk) // 2)
    warnings.warn(
        f"The device ran out of memory with {counted(len(chunk), 'network')} at once; "
        f"going on with {half} at a time.",
        SemikdWarning,
        stacklevel=4,
    )
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return _halving(run, chunk[:half]) | _halving(run, chunk[half:])


def _label(size: int, number: int, n_groups: int) -> str:
    """Return what is being trained, in words."""
    what = counted(size, "network")
    return what if n_groups == 1 else f"{what}, shape {number} of {n_groups}"


def _reporting(progress: Reporter, label: str, total: int) -> Callable[[Loop], None]:
    """Return a callback that tells how many epochs are behind."""

    def tell(loop: Loop) -> None:
        done = max(len(history) for history in loop.history)
        done = done if loop.alive else total
        progress(Step("epoch", f"epoch {min(done + 1, total)}, {label}", done, total))

    return tell
