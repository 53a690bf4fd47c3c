"""Fitted network estimators on disk: settings in words, numbers in arrays."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from semikd._files.class_labels import label_words, labels_of
from semikd._files.npz import Arrays
from semikd._files.signed import built
from semikd._validation import (
    Shown,
    choose,
    count,
    invalid,
    number,
    wrong_type,
)
from semikd.losses import DistillationLoss, get_loss
from semikd.networks.architectures import CustomFactory, Factory
from semikd.networks.attack import attack_of, attack_words
from semikd.networks.inputs import n_columns, n_scores
from semikd.networks.options import NetworkOptions
from semikd.networks.saving import NETWORK, SavedNetwork, load_network, save_network
from semikd.networks.training import Training
from semikd.networks.words import (
    encoding_of,
    encoding_words,
    history_of,
    history_words,
    loss_of,
    loss_words,
    plain,
)

if TYPE_CHECKING:
    from semikd.networks.estimator import NetworkEstimator

__all__ = ["EstimatorFiles"]

# What is no plain value, and so is in no file.
_FUNCTIONS = ("augment", "callbacks", "checkpoint")
_ENTRIES = {
    "classes",
    "encoding",
    "estimator",
    "feature_names",
    "loss",
    "mode",
    "settings",
    "training",
}
_ARRAYS = {"history", "mean", "scale"}
_LONGEST = 10_000
_MODES = {m: m for m in ("native", "vmap", "one by one", "all rows at once")}
_DEVICE = r"[a-z]{1,20}(:[0-9]{1,4})?"


class EstimatorFiles:
    """Saving and loading of an estimator that is a network.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from semikd.teachers import TorchClassifier
    >>> X = np.linspace(-1, 1, 20)[:, None]
    >>> fitted = TorchClassifier((4,), max_epochs=2, device="cpu").fit(X, X[:, 0] > 0)
    >>> with tempfile.TemporaryDirectory() as home:
    ...     _ = fitted.save(home)
    ...     again = TorchClassifier.load(home)
    >>> bool((again.predict_proba(X) == fitted.predict_proba(X)).all())
    True
    """

    def save(self, folder: str | os.PathLike[str]) -> int:
        """Write the fitted estimator into a folder, as ``load`` reads it.

        Parameters
        ----------
        folder : path
            A folder that is new or empty, or holds a saved network, which is replaced
            in one step.

        Returns
        -------
        int
            Bytes written.

        Raises
        ------
        ValueError
            If the folder holds anything else, or a parameter that makes another network
            was changed after the fit.
        TypeError
            If labels or loss have no form in a file.

        Notes
        -----
        Functions are in no file: ``training.augment``, ``training.callbacks`` and
        ``training.checkpoint`` are left out, a generator as ``random_state`` is None
        afterwards, and a function that built the network is passed again to ``load``.
        """
        check_is_fitted(self)
        estimator: Any = self
        architecture = NetworkOptions.of(estimator).architecture
        encoding, arrays = encoding_words(estimator.encoding_)
        arrays["history"] = history_words(estimator.history_)
        names = getattr(self, "feature_names_in_", None)
        loss = getattr(self, "loss_", None)
        extra = {
            "estimator": type(self).__name__,
            "settings": _settings(estimator),
            "training": _training_settings(estimator.training),
            "encoding": encoding,
            "classes": label_words(np.asarray(estimator.classes_)),
            "loss": None if loss is None else loss_words(loss),
            "mode": estimator.mode_,
            "feature_names": None if names is None else list(names),
        }
        return save_network(
            folder,
            estimator.module_,
            architecture,
            estimator.encoding_.shape,
            n_scores(estimator.module_, estimator.encoding_),
            extra=extra,
            arrays=arrays,
        )

    @classmethod
    def load(
        cls, folder: str | os.PathLike[str], *, factory: Factory | None = None
    ) -> Self:
        """Read an estimator that ``save`` wrote; its predictions are the same bits.

        Parameters
        ----------
        folder : path
            The folder.
        factory : callable, optional
            The function that built the network, where a function did.

        Returns
        -------
        estimator
            On the device that its ``device`` names, the processor where it is missing.

        Raises
        ------
        ArtifactError
            If the folder holds no such estimator, or a damaged or newer one.

        Notes
        -----
        Nothing of the file is run. A hash tells damage, not who wrote the file.
        """
        saved = load_network(folder, factory=factory)
        made: Self = built(Path(folder) / NETWORK.file, lambda: _made(cls, saved))
        return made


def _settings(estimator: "NetworkEstimator") -> dict[str, Any]:
    """Return the parameters but for the network and its training."""
    settings = {
        name: plain(value)
        for name, value in estimator.get_params(deep=False).items()
        if name not in {"module", "training"}
    }
    if isinstance(settings.get("loss"), DistillationLoss):
        settings["loss"] = loss_words(settings["loss"])
    if "attack" in settings:
        settings["attack"] = attack_words(settings["attack"])
    if isinstance(settings.get("class_weight"), Mapping):
        # A class may be a number, and names of JSON are text.
        pairs = [[plain(k), plain(v)] for k, v in settings["class_weight"].items()]
        settings["class_weight"] = pairs
    if not isinstance(settings["random_state"], int):
        settings["random_state"] = None
    return settings


def _training_settings(training: Training | None) -> dict[str, Any] | None:
    """Return the options of a training but for functions and folders."""
    if training is None:
        return None
    options = training.get_params(deep=False)
    return {k: plain(v) for k, v in options.items() if k not in _FUNCTIONS}


def _made(cls: Any, saved: SavedNetwork) -> Any:
    """Return the estimator of words and arrays, each checked."""
    words, arrays = saved.extra, saved.arrays
    if set(words) != _ENTRIES:
        raise invalid("network", f"be that of a {cls.__name__}", Shown("one alone"))
    if words["estimator"] != cls.__name__:
        name = str(words["estimator"])[:80]
        constraint = f"be that of a {cls.__name__}"
        raise invalid("network", constraint, Shown(f"a {name}"), f"Use {name}.load")
    estimator = _unfitted(cls, saved)
    encoding = encoding_of(words["encoding"], arrays)
    _refuse_other_arrays(words["encoding"]["kind"], arrays)
    if encoding.shape != saved.inputs:
        shown = Shown("others")
        raise invalid("encoding", "give what the network reads", shown)
    # Some have one loss for all fits.
    takes_loss = "loss" in cls._get_param_names() or hasattr(cls, "loss")
    loss = loss_of(words["loss"]) if takes_loss else None
    classes = labels_of(words["classes"])
    if len(classes) != max(saved.n_outputs, 2):
        shown = Shown(f"{len(classes)} for {saved.n_outputs} scores")
        raise invalid("classes", "be those of the scores", shown)
    estimator.encoding_, estimator.module_ = encoding, saved.module
    estimator.classes_ = classes
    if loss is not None:
        estimator.loss_ = loss
    estimator.history_ = history_of(arrays["history"])
    estimator.mode_ = choose("mode", words["mode"], _MODES)
    estimator.n_iter_ = len(estimator.history_)
    _name_columns(estimator, words["feature_names"])
    return estimator


def _unfitted(cls: Any, saved: SavedNetwork) -> Any:
    """Return an estimator with the settings of a file, which are refused if wrong."""
    settings = _read_settings(cls, saved.extra["settings"])
    architecture, training = saved.architecture, saved.extra["training"]
    if training is not None:
        options = set(Training._get_param_names()) - set(_FUNCTIONS)
        if set(training) != options:
            raise invalid("training", "have the options known", sorted(training))
        training = Training(**training)
    custom = isinstance(architecture, CustomFactory)
    module = architecture.factory if custom else architecture
    device = settings["device"]
    made = cls(module, training=training, **{**settings, "device": "cpu"})
    NetworkOptions.of(made)
    # A network that was trained on a GPU also answers where there is none.
    return made.set_params(device=device)


def _read_settings(cls: Any, words: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters but for the network and its training."""
    settings = dict(words)
    known = set(cls._get_param_names()) - {"module", "training"}
    if set(settings) != known:
        shown = min(set(settings) ^ known)
        raise invalid("settings", f"be those of a {cls.__name__}", shown)
    if isinstance(settings.get("loss"), dict):
        settings["loss"] = loss_of(settings["loss"])
    elif "loss" in settings:
        get_loss(settings["loss"], auto="cross_entropy")
    if "attack" in settings:
        settings["attack"] = attack_of(settings["attack"])
    if "class_weight" in settings:
        settings["class_weight"] = _class_weight(settings["class_weight"])
    if settings["random_state"] is not None:
        count("random_state", settings["random_state"], low=0)
    if not re.fullmatch(_DEVICE, settings["device"]):
        raise invalid("device", "be a name", settings["device"])
    return settings


def _class_weight(value: Any) -> Any:
    """Return factors of classes as they were given."""
    if value is None or value == "balanced":
        return value
    return {key: number("class_weight", factor, low=0.0) for key, factor in value}


def _refuse_other_arrays(kind: str, arrays: Arrays) -> None:
    """Refuse arrays that no part of an estimator asks for."""
    known = _ARRAYS | ({"values", "lengths"} if kind == "table" else set())
    if set(arrays) != known:
        raise invalid("arrays", f"be {', '.join(sorted(known))}", sorted(arrays))


def _name_columns(estimator: Any, names: Any) -> None:
    """Note number and names of the columns, or of channels."""
    n = n_columns(estimator.encoding_)
    estimator.n_features_in_ = n
    if names is None:
        return
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise wrong_type("feature_names", "be a list of text", names)
    if len(names) != n or max(map(len, names)) > _LONGEST:
        raise invalid("feature_names", f"be {n} names", Shown(str(len(names))))
    estimator.feature_names_in_ = np.array(names, dtype=object)
