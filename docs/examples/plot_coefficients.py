r"""
Which coefficients can I trust?
===============================

A linear student is read by its coefficients. What they estimate depends on what "linear
student" means, and how surely they do so on the teacher: this goes through both with a
real survey, 6,366 answers on whether a married woman had an affair (bundled with
statsmodels).
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from semikd import cross_fit
from semikd.crossfit import row_hashes
from semikd.datasets import load_dataset
from semikd.evaluation import pointwise_log_loss, risks
from semikd.inference import (
    likelihood_coefficients,
    log_odds_coefficients,
    model_confidence_set,
)

survey = load_dataset("fair")
X = pd.DataFrame(survey.numeric(), columns=survey.X.columns)
y = np.asarray(survey.y)

# Women who gave the same eight answers stand in one cluster: 4,829 of them.
clusters = row_hashes(X)

# %%
# Three teachers, cross-fitted
# ----------------------------
#
# Each row is labelled by teachers that did not see it; labels of teachers that did
# would be refused by all that follows, since there is no interval for them.

teachers = {
    "boosting": HistGradientBoostingClassifier(
        max_iter=60, learning_rate=0.06, random_state=0
    ),
    "logistic": LogisticRegression(max_iter=2000),
    "stump": DecisionTreeClassifier(max_depth=1),
}
labels = {name: cross_fit(t, X, y, random_state=0) for name, t in teachers.items()}

for name, own in labels.items():
    found = risks(
        y, own, metrics=["log_loss", "auc"], clusters=clusters, random_state=0
    )
    print(name, found.to_frame()[["estimate", "lower", "upper"]].round(4), sep="\n")

# %%
# Which of them may be the best, when their losses on the same rows are compared?

losses = np.column_stack([pointwise_log_loss(own.mean, y) for own in labels.values()])
print(
    model_confidence_set(losses, names=list(labels), clusters=clusters, random_state=0)
)

# %%
# Two estimands
# -------------
#
# The logistic model of largest likelihood is the classical one: on that scale a full
# correction *is* training on the outcomes, and no teacher has a part in it.

classical = likelihood_coefficients(X, y, clusters=clusters, random_state=0)

# %%
# The linear function nearest to the Bayes log-odds needs a teacher, since it is the
# logarithm of unknown probabilities that is approximated. Its score is orthogonal: the
# teacher's error enters by its square. Whether that is small, a second teacher tells:
# both estimate the same, so that what they disagree about is a bias of one of them.


def coefficients(first, second):
    """Return the coefficients by one teacher, and print what another says of them."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        found = log_odds_coefficients(
            labels[first],
            X,
            y,
            second=labels[second],
            clusters=clusters,
            random_state=0,
        )
    for each in heard:
        print(each.message)
    return found


nearest = coefficients("boosting", "logistic")
print(nearest.summary())

# %%
# A teacher that is too simple is found out in the same way. However many rows there
# are, its intervals are not to be believed; the better teacher's are.

stump = coefficients("stump", "boosting")

# %%
# Side by side, with intervals that hold for all coefficients together:

shown = {
    "likelihood": classical,
    "log-odds, boosted teacher": nearest,
    "log-odds, logistic teacher": nearest.by_second,
    "log-odds, stump": stump,
}
names = list(classical.names[:-1])
figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
for at, (name, result) in enumerate(shown.items()):
    ends = result.conf_int(kind="simultaneous")[:-1]
    # In deviations of the columns, so that one axis does for all.
    unit = X.std().to_numpy()
    middle, half = result.estimate[:-1] * unit, (ends[:, 1] - ends[:, 0]) / 2 * unit
    height = np.arange(len(names)) + 0.18 * (1.5 - at)
    axes.errorbar(middle, height, xerr=half, fmt="o", markersize=4, label=name)
axes.axvline(0.0, color="0.6", linewidth=1)
axes.set_yticks(range(len(names)), names)
axes.set_xlabel("change of the log-odds by one deviation of the column")
axes.legend(loc="upper right", fontsize="small")
plt.show()

# %%
# Hypotheses about several coefficients, and what they say of a row
# -----------------------------------------------------------------
#
# The number of children and the husband's occupation, together, and the probability of
# one woman with its band:

print(nearest.wald_test(["children", "occupation_husb"]))
print(nearest.fitted(X.iloc[:1]).round(3))
print(nearest.marginal_effects(X).to_frame()[["estimate", "lower", "upper"]].round(4))
