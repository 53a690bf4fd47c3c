r"""
How strong should a correction be?
==================================

A teacher that is too simple leads every student astray, and cross-fitting does not
help: it is wrong on new rows, too. The labels know better but are noisy. A correction
moves the target from the teacher's answer towards the label,

.. math:: \tau_i = \hat p_i + \Lambda\,(y_i - \hat p_i),

and the best :math:`\Lambda` weighs the teacher's bias against the label's noise. A
student averages that noise over the rows of a leaf, but not the bias. How much it
averages depends on its size, so there is no best :math:`\Lambda` of a teacher alone:
**the best correction depends on the student**. This example measures it.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeRegressor

from semikd import DistilledClassifier, cross_fit
from semikd.datasets import make_smooth_process
from semikd.distillation import kept_noise, noise_pair
from semikd.losses import ProbabilityLoss
from semikd.simplex import one_hot
from semikd.students import as_student

# %%
# An under-fitted teacher
# -----------------------
#
# The log-odds of this process are a sine and a product, and the teacher is a logistic
# regression: it misses both bends. Since the true probabilities are known, the student
# is judged by its squared error to them.

N_ROWS, N_SEEDS = 4_000, 4
weights = np.linspace(0.0, 1.0, 11)
sizes = {"8 leaves": 8, "32 leaves": 32, "128 leaves": 128, "fully grown": None}
new = make_smooth_process(5_000, random_state=10_000)
error = np.zeros((len(sizes), N_SEEDS, len(weights)))
squared_bias = np.zeros(N_SEEDS)
kept = np.zeros((len(sizes), N_SEEDS))
loss = ProbabilityLoss()

for seed in range(N_SEEDS):
    data = make_smooth_process(N_ROWS, random_state=seed)
    labels = cross_fit(LogisticRegression(), data.X, data.y, random_state=seed)
    squared_bias[seed] = np.mean((labels.mean - data.true_proba)[:, 1] ** 2)
    # Targets of which half are the outcome, and then the other half.
    pair = noise_pair(
        labels.mean, one_hot(data.y.to_numpy(), 2), loss=loss, random_state=seed
    )
    for size, leaves in enumerate(sizes.values()):
        tree = DecisionTreeRegressor(max_leaf_nodes=leaves, random_state=seed)
        kept[size, seed] = kept_noise(as_student(tree), data.X, *pair, loss=loss)
        for at, weight in enumerate(weights):
            model = DistilledClassifier(
                student=DecisionTreeRegressor(max_leaf_nodes=leaves),
                correction=float(weight),
                cv=labels,
                random_state=seed,
            ).fit(data.X, data.y)
            miss = model.predict_proba(new.X) - new.true_proba
            error[size, seed, at] = np.mean(miss[:, 1] ** 2)

# %%
# The best constant for each student
# ----------------------------------
#
# Beside the measured optimum stands what the bias-variance rule says,
# :math:`r^2 / (r^2 + \kappa v)`, with the teacher's squared error :math:`r^2` (known
# here), the label's variance :math:`v`, and :math:`\kappa` the share of that noise that
# the student keeps. It is measured by two fits to targets that differ in which rows are
# corrected, as the library does it. Leaves over rows, beside it, is what a tree would
# keep if its splits had been given.

mean = error.mean(axis=1)
label_noise = np.mean(new.true_proba.prod(axis=1))
leaves_over_rows = np.array([1.0 if k is None else k / N_ROWS for k in sizes.values()])
complexity = kept.mean(axis=1)
bias = squared_bias.mean()
table = pd.DataFrame(
    {
        "best weight": weights[mean.argmin(axis=1)],
        "error there": mean.min(axis=1),
        "error at 0 (teacher)": mean[:, 0],
        "error at 1 (labels)": mean[:, -1],
        "leaves / rows": leaves_over_rows,
        "noise kept": complexity,
        "rule": bias / (bias + complexity * label_noise),
        "rule by leaves": bias / (bias + leaves_over_rows * label_noise),
    },
    index=list(sizes),
)
print(f"teacher's squared error {bias:.4f}, label variance {label_noise:.4f}\n")
print(table.round(4).to_string())

# %%

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
for size, name in enumerate(sizes):
    spread = error[size].std(axis=0, ddof=1) / np.sqrt(N_SEEDS)
    (line,) = axes.plot(weights, mean[size], "o-", ms=3, label=name)
    axes.fill_between(
        weights,
        mean[size] - 2 * spread,
        mean[size] + 2 * spread,
        color=line.get_color(),
        alpha=0.2,
        linewidth=0,
    )
    best = mean[size].argmin()
    axes.plot(weights[best], mean[size, best], "*", ms=13, color=line.get_color())
axes.set(
    xlabel="weight of the correction (0: teacher only, 1: labels only)",
    ylabel="squared error to the truth",
    yscale="log",
)
axes.set_title(f"Means over {N_SEEDS} seeds, two standard errors; stars: best", size=10)
axes.legend(frameon=False)

# %%
# How to read it
# --------------
#
# One teacher, and the best weight falls from almost the label itself to almost the
# teacher alone as the student grows. The full correction, which on this scale is
# training on the labels, is close to best for the smallest student and by far the worst
# choice for the largest.
#
# The rule follows it where :math:`\kappa` is measured. Counted by leaves it is much too
# bold: a tree that *searches* for its splits follows the noise with every split that it
# tries, and keeps several times what its leaves would.
#
# On real data neither :math:`r^2` nor the best weight is known. Choosing the weight by
# its score on out-of-fold labels is no way out unless rows that no labelling teacher
# saw are kept for the verdict, which is why ``compare`` declares its corrections
# instead of tuning them.
