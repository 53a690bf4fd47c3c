"""
How many labels do I need?
==========================

Measurements are often cheap and outcomes dear: here the outcome is a pathologist's, of
569 biopsies of the breast, 357 of them benign (bundled with scikit-learn). What if only
140 had been looked at, and the other images merely measured?
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from semikd import cross_fit
from semikd.datasets import load_dataset
from semikd.evaluation import powered_risks, risks
from semikd.inference import (
    likelihood_coefficients,
    partly_labelled,
    powered_coefficients,
    powered_means,
)

X, target = load_breast_cancer(return_X_y=True, as_frame=True)
y = np.where(target == 1, "benign", "malignant")
order = np.random.default_rng(0).permutation(len(y))
for_student, looked_at, measured = order[:100], order[100:240], order[240:]

# %%
# Teachers label what nobody looked at
# ------------------------------------
#
# Forests are cross-fitted on the 140, and label the 329 others as well. Of these the
# forests of the folds did not see any, so that their labels err there as they do on the
# 140, where the outcomes tell by how much.

forest = RandomForestClassifier(300, min_samples_leaf=2, random_state=0)
labels = cross_fit(forest, X.iloc[looked_at], y[looked_at], random_state=0)
rows = partly_labelled(labels, X.iloc[looked_at], y[looked_at], X.iloc[measured])

share = powered_means(rows, random_state=0)
print(share.summary())

# %%
# The 329 unlabelled rows are worth as much as some 180 labelled
# ones more. That depends on
# how well outcomes can be predicted, and on how many rows there are; ``most`` is what
# no method could pass by much without a better teacher. The same for the logistic model
# in one measurement, and for the losses of a small tree that was fitted to 100 other
# rows:

column = ["mean texture"]
model = powered_coefficients(
    rows, X[column].iloc[looked_at], X[column].iloc[measured], random_state=0
)
tree = DecisionTreeClassifier(max_leaf_nodes=6, min_samples_leaf=5, random_state=0)
tree.fit(X.iloc[for_student], y[for_student])
p, more = (tree.predict_proba(X.iloc[part]) for part in (looked_at, measured))
losses = powered_risks(rows, p, more, random_state=0)
for each in (share, model, losses):
    print(each.gain.to_frame().round(2), end="\n\n")

# %%
# Here all outcomes are known in truth, so that one can look: each interval, by the 140
# outcomes alone and with the other rows' help, and what all 469 outcomes say.

both = order[100:]
alone = risks(y[looked_at], p, metrics=losses.names, random_state=0)
everything = risks(
    y[both], tree.predict_proba(X.iloc[both]), metrics=losses.names, random_state=0
)
share_alone = powered_means(rows, power=0.0, random_state=0)
model_alone = powered_coefficients(
    rows, X[column].iloc[looked_at], X[column].iloc[measured], power=0.0
)
shown = {
    "share malignant": (
        share_alone.conf_int()[0],
        share.conf_int()[0],
        np.mean(y[both] == "malignant"),
    ),
    "slope of texture": (
        model_alone.conf_int()[0],
        model.conf_int()[0],
        likelihood_coefficients(X[column].iloc[both], y[both]).estimate[0],
    ),
    **{
        name: (alone.conf_int()[j], losses.conf_int()[j], everything.estimate[j])
        for j, name in enumerate(losses.names)
    },
}
figure, axes = plt.subplots(1, len(shown), figsize=(9, 3), layout="constrained")
for panel, (name, (by_outcomes, powered, truth)) in zip(
    axes, shown.items(), strict=True
):
    for at, (ends, colour) in enumerate([(by_outcomes, "C1"), (powered, "C0")]):
        middle, half = np.mean(ends), np.ptp(ends) / 2
        panel.errorbar(at, middle, yerr=half, fmt="o", color=colour, capsize=4)
    panel.axhline(truth, color="0.6", linewidth=1)
    panel.set_xticks([0, 1], ["outcomes\nalone", "with\nlabels"])
    panel.set_xlim(-0.6, 1.6)
    panel.set_title(name, fontsize="medium")
plt.show()

# %%
# Buying labels
# -------------
#
# How many biopsies must be looked at, until the share is known to 3 points either way?
# Without help, and if 2,000 measured ones stand by:

print(share.gain.labels_needed(0.03, n_unlabelled=2000))

# %%
# When it buys nothing
# --------------------
#
# Whether a woman of the survey had an affair can hardly be told from her other answers,
# and then the answers of others are of little help; the intervals are no wider for it.

survey = load_dataset("fair")
numbers, affair = survey.numeric(), np.asarray(survey.y)
order = np.random.default_rng(0).permutation(len(affair))
asked, others = order[:600], order[600:]
boosted = RandomForestClassifier(300, min_samples_leaf=10, random_state=0)
honest = cross_fit(boosted, numbers[asked], affair[asked], random_state=0)
found = partly_labelled(honest, numbers[asked], affair[asked], numbers[others])
print(powered_means(found, random_state=0).gain)
