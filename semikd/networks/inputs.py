"""What enters an estimator that is a network, checked before anything is trained."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import validate_data

from semikd._tables import refuse_equal_names, refuse_missing
from semikd._validation import Shown, check_shape, counted, invalid, wrong_type
from semikd.losses import DistillationLoss, HardLabelMix
from semikd.networks.architectures import as_architecture
from semikd.networks.options import NetworkOptions
from semikd.networks.tables import ImageEncoding, TableEncoding
from semikd.simplex import FloatArray

if TYPE_CHECKING:
    from torch import nn


def checked_rows(estimator: Any, X: Any, *, reset: bool) -> Any:
    """Return a table or images; their columns are noted, or compared with the noted."""
    if not reset:
        _refuse_other_kind(X, getattr(estimator, "encoding_", None))
    refuse_equal_names(X)
    if hasattr(X, "columns"):
        validate_data(estimator, X, skip_check_array=True, reset=reset)
        if not len(X) or not len(X.columns):
            shape = (len(X), len(X.columns))
            raise invalid("X", "have at least one row and column", Shown(str(shape)))
        return X
    if isinstance(X, np.memmap) and X.ndim == 2 and X.dtype.kind == "f":
        # A copy of it may not fit into memory.
        validate_data(estimator, X, skip_check_array=True, reset=reset)
        return X
    # Not np.ndim: what only can be made an array has no ndim.
    array = np.asarray(X)
    _refuse_text(array)
    is_image = array.ndim == 4
    if array.ndim == 3:
        constraint = "be a table (n, d) or images (n, channels, height, width)"
        remedy = "X[:, None] gives images their one channel"
        raise invalid("X", constraint, Shown(str(array.shape)), remedy)
    return validate_data(
        estimator,
        X,
        dtype="numeric" if is_image else np.float64,
        allow_nd=is_image,
        ensure_all_finite="allow-nan",
        ensure_min_samples=2 if reset else 1,
        reset=reset,
    )


def check_solver(options: NetworkOptions, X: Any, online: Any) -> None:
    """Refuse to take all rows at once where there are only batches of them."""
    if options.solver != "lbfgs":
        return
    if getattr(X, "ndim", 2) == 4:
        remedy = "Images are trained in mini-batches"
        raise invalid("solver", "be 'adam' for images", "lbfgs", remedy)
    if online is not None:
        remedy = "It takes rows as they are: labels made beforehand are the same"
        raise invalid("solver", "be 'adam' for online labels", "lbfgs", remedy)


def check_observed(options: NetworkOptions) -> None:
    """Refuse a training in which hidden layers cannot be compared."""
    if options.solver != "adam":
        remedy = "Hidden layers are compared within mini-batches"
        constraint = "be 'adam' for losses of hidden layers"
        raise invalid("solver", constraint, options.solver, remedy)
    if options.training.compile != "off":
        constraint = "be 'off' for losses of hidden layers"
        raise invalid("training.compile", constraint, options.training.compile)


def check_targets(
    targets: list[FloatArray], loss: DistillationLoss, n_rows: int
) -> None:
    """Refuse targets that rows, or the scores of a loss, do not have."""
    for target in targets:
        check_shape("target", target, (n_rows, None))
        width = target.shape[1]
        if not width or (isinstance(loss, HardLabelMix) and width % 2):
            halves = "as many columns of labels as of targets"
            wanted = halves if isinstance(loss, HardLabelMix) else "at least one column"
            raise invalid("target", f"have {wanted}", Shown(str(target.shape)))
    widths = sorted({target.shape[1] for target in targets})
    if len(widths) > 1:
        constraint = "have one number of columns"
        raise invalid("targets", constraint, Shown(" and ".join(map(str, widths))))


def check_groups(groups: NDArray[Any] | None, n_rows: int) -> None:
    """Refuse groups that are not one for each row."""
    if groups is not None:
        check_shape("groups", groups, (n_rows,))
        refuse_missing("groups", groups)


def check_start(
    estimator: Any, X: Any, target: FloatArray, loss: DistillationLoss
) -> None:
    """Refuse to go on from a network that reads or says other things."""
    encoding, module = estimator.encoding_, estimator.module_
    remedy = "Begin anew with fit, without training.warm_start"
    _refuse_other_kind(X, encoding)
    if n_columns(encoding) != estimator.n_features_in_:
        constraint = f"have the {n_columns(encoding)} columns of the fit before"
        raise invalid("X", constraint, int(estimator.n_features_in_), remedy)
    before, m = n_scores(module, encoding), loss.n_scores(target)
    if before != m:
        constraint = f"need {counted(before, 'score')} a row, as in the fit before"
        raise invalid("y", constraint, m, remedy)
    outline = as_architecture(estimator.module).outline(encoding.shape, m)
    shapes = [
        {name: tuple(tensor.shape) for name, tensor in each.state_dict().items()}
        for each in (outline, module)
    ]
    if shapes[0] != shapes[1]:
        shown = Shown(f"another: {as_architecture(estimator.module)}")
        raise invalid("module", "be that of the fit before", shown, remedy)


def n_columns(encoding: TableEncoding | ImageEncoding) -> int:
    """Return the number of columns of a table, or of channels of images."""
    if isinstance(encoding, ImageEncoding):
        return encoding.size[0]
    return len(encoding.layout.numeric) + len(encoding.layout.categorical)


def n_scores(module: "nn.Module", encoding: TableEncoding | ImageEncoding) -> int:
    """Return the number of scores m that a network gives for a row."""
    from semikd import nets

    row, cpu = np.zeros((1, *encoding.shape.row)), nets.find_device("cpu")
    return int(nets.predict(module, row, device=cpu).shape[1])


def _refuse_text(array: NDArray[Any]) -> None:
    """Refuse text in an array, whose columns cannot be told apart by their kind."""
    if array.dtype.kind not in "OUST":
        return
    text = (v for v in array.flat if isinstance(v, str | bytes))
    for value in text:
        try:
            float(value)
        except ValueError:
            remedy = "Pass a data frame, whose columns of text are categories"
            raise wrong_type("X", "hold numbers", str(value), remedy) from None


def _refuse_other_kind(X: Any, encoding: Any) -> None:
    """Refuse images where a table was fitted, and a table where images were."""
    if encoding is None:
        return
    found = getattr(X, "shape", None)
    found = np.asarray(X).shape if found is None else found
    if isinstance(encoding, ImageEncoding):
        if len(found) != 4 and len(found) > 1:
            constraint = f"hold images of shape {encoding.size}, as in the fit"
            raise invalid("X", constraint, Shown(f"an array of shape {tuple(found)}"))
    elif len(found) == 4:
        raise invalid("X", "be a table, as in the fit", Shown(f"images {found}"))
