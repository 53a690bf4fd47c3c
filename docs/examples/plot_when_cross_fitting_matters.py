r"""
When does cross-fitting matter?
===============================

A teacher that has seen a row's label may simply repeat it. Its answer is then no
estimate of the class probabilities but a copy of the noise, and a student that follows
it learns that noise. Cross-fitting removes the copy: each row is labelled by a teacher
that was trained without it.

Here the class probabilities are known, so that the student can be judged by what it is
meant to find, :math:`\mathbb{E}\,(\hat f(X) - p_0(X))^2`, rather than by new labels.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeRegressor

from semikd import DistilledClassifier, cross_fit
from semikd.datasets import make_smooth_process

# %%
# Two teachers, three students, two ways to label
# -----------------------------------------------
#
# The first forest grows every tree until its leaves are pure: on rows that it has
# seen, its answer is close to their labels. The second keeps at least 20 rows in each
# leaf and cannot do that. The students are trees with 8 leaves, 64 leaves and no limit
# at all.

teachers = {
    "over-fitting forest": RandomForestClassifier(30, random_state=0),
    "regularised forest": RandomForestClassifier(
        30, min_samples_leaf=20, random_state=0
    ),
}
students = {"8 leaves": 8, "64 leaves": 64, "no limit": None}
labels_by = {"in-sample": "in-sample", "cross-fitted": 5}

N_SEEDS = 10
new = make_smooth_process(5_000, random_state=10_000)


def squared_error(model):
    """Return the mean squared error of the probability of class 1 on new rows."""
    error = model.predict_proba(new.X) - new.true_proba
    return float(np.mean(error[:, 1] ** 2))


# %%
# Every student of one teacher and one seed learns from the same labels: ``cv`` takes
# a record that ``cross_fit`` has made before.

rows = []
for seed in range(N_SEEDS):
    data = make_smooth_process(1_000, random_state=seed)
    for teacher_name, teacher in teachers.items():
        for way, cv in labels_by.items():
            labels = cross_fit(teacher, data.X, data.y, cv=cv, random_state=seed)
            for student_name, leaves in students.items():
                tree = DecisionTreeRegressor(max_leaf_nodes=leaves)
                model = DistilledClassifier(
                    teacher, tree, cv=labels, random_state=seed
                ).fit(data.X, data.y)
                rows.append(
                    (teacher_name, student_name, way, seed, squared_error(model))
                )
results = pd.DataFrame(rows, columns=["teacher", "student", "labels", "seed", "error"])

# %%
# What it costs not to cross-fit
# ------------------------------
#
# Both ways see the same rows in each seed, so the difference (in-sample minus
# cross-fitted) is taken within seeds and its standard error is that of a mean of paired
# differences.

wide = results.pivot_table(
    index=["teacher", "student", "seed"], columns="labels", values="error", sort=False
)
wide["difference"] = wide["in-sample"] - wide["cross-fitted"]
by_arm = wide.groupby(level=["teacher", "student"], sort=False)
summary = by_arm.mean()
summary["standard error"] = by_arm["difference"].sem()
print(summary.round(4).to_string())

# %%

figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.6), sharey=True, layout="constrained")
for panel, teacher_name in zip(axes, teachers, strict=True):
    for shift, way, colour in (
        (-0.08, "in-sample", "C1"),
        (0.08, "cross-fitted", "C0"),
    ):
        chosen = results.query("teacher == @teacher_name and labels == @way")
        errors = chosen.groupby("student", sort=False)["error"]
        panel.errorbar(
            np.arange(len(students)) + shift,
            errors.mean(),
            yerr=2 * errors.sem(),
            fmt="o",
            color=colour,
            capsize=3,
            label=way,
        )
    panel.set_title(f"teacher: {teacher_name}", fontsize=10)
    panel.set_xticks(range(len(students)), students)
    panel.set_xlabel("student")
axes[0].set_ylabel("squared error to the truth")
axes[0].set_ylim(bottom=0)
axes[0].legend(frameon=False)
figure.suptitle(f"Mean over {N_SEEDS} seeds, with two standard errors", fontsize=10)

# %%
# How to read it
# --------------
#
# With the over-fitting teacher, in-sample labels cost more the more a student can
# follow: a tree of 8 leaves averages most of the copied noise away, a tree without
# limit copies it once more. With the regularised teacher the two ways are close, and
# in-sample labels are even a little better; one reason is that a fold teacher learns
# from four fifths of the rows only. That is the price of cross-fitting, and it falls
# as the number of folds or of rows grows.
#
# So cross-fitting is an insurance, not a gain in itself. It is worth its K fits where
# the teacher is able to remember rows, and little is lost where it is not. ``compare``
# has both as arms, on your data.
