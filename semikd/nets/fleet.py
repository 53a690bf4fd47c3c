"""Training any number of networks: those that can run together do.

Members are put together by architecture, and in chunks that the device has room for.
"""

import warnings
from collections.abc import Callable, Hashable, Sequence

import torch
from torch import Tensor

from semikd._progress import Reporter, Step, silent
from semikd._validation import Shown, counted, invalid
from semikd.exceptions import SemikdWarning
from semikd.nets.alike import architecture, mixes_rows
from semikd.nets.checkpoints import Checkpoint, Record, Saver
from semikd.nets.contest import Contest
from semikd.nets.devices import determinism, is_out_of_memory
from semikd.nets.identity import first_losses, problem_of
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

# Rows by which it is seen whether a row's score depends on the others.
_TRIED = 7


def train(
    members: Sequence[Member],
    inputs: Tensor | Rows,
    objective: Objective,
    *,
    options: TrainingOptions | None = None,
    listen: Listener | None = None,
    progress: Reporter = silent,
    checkpoint: Checkpoint | None = None,
    contest: Contest | None = None,
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
    checkpoint : Checkpoint, optional
        Where the state is written from time to time, and read again after a kill.
    contest : Contest, optional
        How the opponents of the members play, each of which has one then.

    Returns
    -------
    list of Trained
        In the order of the members.

    Raises
    ------
    ValueError
        If the loss or a parameter of a member is no longer finite, if one member alone
        does not fit into memory, or if the checkpoint is that of another fit.
    ArtifactError
        If the checkpoint is damaged.

    Warns
    -----
    SemikdWarning
        If the device ran out of memory and fewer members are trained at once; they
        start anew.

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
    _refuse_empty(members)
    rows = ResidentRows(inputs) if isinstance(inputs, Tensor) else inputs
    record = Record(_chunks(members, rows, options))
    saver = None
    if checkpoint is not None and members:
        problem = problem_of(members, rows, options)
        losses = first_losses(members, rows, objective)
        saver = Saver(checkpoint, problem, losses)
        record = saver.read(record, members)
    heard = listen or _deaf
    fleet = _Fleet(members, rows, objective, options, heard, progress, contest)
    device = members[0].training.device if members else torch.device("cpu")
    with determinism(options.deterministic, device):
        fleet.run(record, saver)
    return [record.done[m] for m in range(len(members))]


class _Fleet:
    """All members of a call, and what carries them from chunk to chunk."""

    def __init__(
        self,
        members: Sequence[Member],
        rows: Rows,
        objective: Objective,
        options: TrainingOptions,
        listen: Listener,
        progress: Reporter,
        contest: Contest | None,
    ) -> None:
        self.contest = contest
        self.members, self.rows, self.objective = members, rows, objective
        self.options, self.listen, self.progress = options, listen, progress
        self.total = max((member.max_epochs for member in members), default=0)
        self.deadline = Deadline(options.time_limit)

    def run(self, record: Record, saver: Saver | None) -> None:
        """Train chunk after chunk, each in halves if it is too large for the device."""
        self.deadline.add(record.spent)
        n_chunks = len(record.queue)
        while record.queue:
            chunk = record.queue[0]
            number = n_chunks - len(record.queue) + 1
            found = self._train(record, saver, _label(len(chunk), number, n_chunks))
            if found is None:
                record.queue[:1] = _halves(chunk, self.options.batch_size)
                n_chunks += 1
                continue
            record.queue.pop(0)
            record.done.update(zip(chunk, found, strict=True))
            if saver is not None and (saver.is_due or not record.queue):
                record.spent = self.deadline.spent
                saver.write(record, None)

    def _train(
        self, record: Record, saver: Saver | None, label: str
    ) -> list[Trained] | None:
        """Return the members of the next chunk, None if there is no memory for them."""
        chunk = record.queue[0]
        tell = _reporting(self.progress, label, self.total)

        def after_epoch(loop: Loop) -> None:
            tell(loop)
            if saver is not None and loop.alive and saver.is_due:
                record.spent = self.deadline.spent
                saver.write(record, loop)

        try:
            loop = Loop(
                [self.members[m] for m in chunk],
                chunk,
                self.rows,
                self.objective,
                self.options,
                self.listen,
                self.deadline,
                self.contest,
            )
            if saver is not None:
                saver.resume(record, loop)
            return loop.run(after_epoch)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        # The error held on to the tensors that were in use; now they are free.
        return None


def _deaf(_: int, __: Epoch) -> None:
    """Listen to nothing."""


def _refuse_empty(members: Sequence[Member]) -> None:
    """Refuse a member that has nothing to train on."""
    for place, member in enumerate(members):
        if not len(member.training):
            shown = Shown(f"none in member {place}")
            raise invalid("training", "hold at least one row", shown)


def _chunks(
    members: Sequence[Member], rows: Rows, options: TrainingOptions
) -> list[list[int]]:
    """Return the members that are trained at once, by place."""
    groups: dict[Hashable, list[int]] = {}
    mixed: dict[Hashable, bool] = {}
    for place, member in enumerate(members):
        key = architecture(member.module)
        if key not in mixed:
            mixed[key] = mixes_rows(member.module, _some(rows, member))
        if mixed[key]:
            # Padding would count in the statistics of a batch.
            key = (key, len(member.training))
        if member.opponent is not None:
            key = (key, architecture(member.opponent))
        groups.setdefault(key, []).append(place)
    most = options.max_members or max(len(members), 1)
    return [
        places[at : at + most]
        for places in groups.values()
        for at in range(0, len(places), most)
    ]


def _some(rows: Rows, member: Member) -> Tensor:
    """Return a few rows of a member, from all over."""
    step = -(-len(member.training) // _TRIED)
    return rows.take(member.training[None, ::step])[0]


def _halves(chunk: list[int], batch_size: int | None) -> list[list[int]]:
    """Return the two halves of a chunk that the device has too little memory for."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if len(chunk) == 1:
        shown = Shown(f"batch_size={batch_size} for one network (member {chunk[0]})")
        remedy = "Lower batch_size or the widths of the network"
        raise invalid("a batch", "fit into the memory of the device", shown, remedy)
    half = -(-len(chunk) // 2)
    warnings.warn(
        f"The device ran out of memory with {counted(len(chunk), 'network')} at once; "
        f"going on with {half} at a time.",
        SemikdWarning,
        stacklevel=4,
    )
    return [chunk[:half], chunk[half:]]


def _label(size: int, number: int, n_chunks: int) -> str:
    """Return what is being trained, in words."""
    what = counted(size, "network")
    return what if n_chunks == 1 else f"{what}, part {number} of {n_chunks}"


def _reporting(progress: Reporter, label: str, total: int) -> Callable[[Loop], None]:
    """Return a callback that tells how many epochs are behind."""

    def tell(loop: Loop) -> None:
        done = max(len(history) for history in loop.history)
        done = done if loop.alive else total
        progress(Step("epoch", f"epoch {min(done + 1, total)}, {label}", done, total))

    return tell
