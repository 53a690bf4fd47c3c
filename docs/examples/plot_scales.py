r"""
What does a scale do to a correction?
=====================================

A student is fitted on a *scale*: to probabilities, to log-odds, or to annealed
probabilities. The scale decides what counts as an error of the same size, and how far a
correction moves a target when the teacher was sure and the label disagrees.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from semikd import CrossEntropyLoss, LogProbabilityLoss, ProbabilityLoss
from semikd.corrections import ShrinkageCorrection, corrected_target, label_noise

# %%
# Three maps
# ----------
#
# Two classes need one number. All functions act on rows that sum to one.

second = np.linspace(0.0005, 0.9995, 1_999)
p = np.column_stack([1 - second, second])
scales = {
    "probability": ProbabilityLoss(),
    "log-odds": LogProbabilityLoss(),
    "annealed, T = 4": CrossEntropyLoss(temperature=4.0),
}

figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.2), layout="constrained")
for panel, (name, scale) in zip(axes, scales.items(), strict=True):
    panel.plot(second, scale.phi(p)[:, 0], color="black", label="teacher's answer")
    for label, colour in ((1, "C0"), (0, "C1")):
        y = np.tile([1.0 - label, float(label)], (len(p), 1))
        target = corrected_target(scale, p, y, np.ones(len(p)))[:, 0]
        panel.plot(second, target, color=colour, label=f"corrected, label {label}")
    panel.set(title=name, xlabel="teacher's probability of class 1")
axes[0].set_ylabel("target")
axes[1].set_ylim(-12, 12)
axes[2].set_ylim(-2, 3)
axes[0].legend(frameon=False, fontsize=8)

# %%
# On the probability scale a full correction *is* the label, wherever the teacher
# stood. On log-odds the two branches run away from each other: a teacher that says
# 0.002 and sees a 1 gets a target hundreds of nats away.

sure = np.array([0.5, 0.1, 0.01, 0.002])
rows = np.column_stack([1 - sure, sure])
ones = np.tile([0.0, 1.0], (len(sure), 1))
table = pd.DataFrame({"teacher says": sure})
for name, scale in scales.items():
    table[name] = corrected_target(scale, rows, ones, np.ones(len(sure)))[:, 0]
print("target of a row with label 1, corrected in full")
print(table.round(3).to_string(index=False))

# %%
# The noise of a full correction
# ------------------------------
#
# The variance that the label adds to a fully corrected target is known in closed form:
# :math:`p_1 p_2` on probabilities and :math:`1 / (p_1 p_2)` on log-odds. A weight that
# is the same on every row would therefore let a few sure rows decide everything;
# :class:`~semikd.ShrinkageCorrection` lets the weight fall where the noise explodes.

figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.4), layout="constrained")
for name, scale in scales.items():
    left.plot(second, label_noise(scale, p), label=name)
left.set(yscale="log", xlabel="teacher's probability", ylabel="variance of the target")
left.legend(frameon=False, fontsize=8)
errors = {"probability": 0.01, "log-odds": 0.1, "annealed, T = 4": 0.001}
for name, scale in scales.items():
    rule = ShrinkageCorrection(squared_error=errors[name])
    weight = rule.weight(p, None, scale, complexity=0.05)
    right.plot(second, weight, label=f"{name}, squared error {errors[name]:g}")
right.set(
    xlabel="teacher's probability", ylabel="weight of the correction", ylim=(0, 1)
)
right.legend(frameon=False, fontsize=8)

# %%
# The continued logarithm
# -----------------------
#
# The logarithm of zero is no target, and teachers do answer zero. Cutting probabilities
# off at a floor makes the target flat there, so that its slope is 0 while a correction
# still multiplies by one over the probability: the two no longer belong together. Below
# ``min_proba`` the scale goes on as its own tangent instead, with value and slope in
# one piece, and a correction stays its exact derivative.

figure, axes = plt.subplots(figsize=(6, 3.4), layout="constrained")
small = np.linspace(0.0, 0.01, 500)
near_zero = np.column_stack([small, 1 - small])
continued = LogProbabilityLoss(centered=False, min_proba=2e-3)
axes.plot(small, np.log(np.maximum(small, 1e-6)), "--", color="grey", label="log p")
axes.plot(small, np.log(np.maximum(small, 2e-3)), ":", color="C1", label="cut off")
axes.plot(small, continued.phi(near_zero)[:, 0], color="C0", label="continued")
axes.axvline(2e-3, color="grey", linewidth=0.5)
axes.set(xlabel="probability p", ylabel="target", ylim=(-9, -4))
axes.legend(frameon=False)

step = 1e-7
at_zero = np.array([[0.0, 1.0]])
direction = np.array([[1.0, -1.0]])
moved = continued.phi(at_zero + step * direction) - continued.phi(at_zero)
print("slope by differences:", (moved / step)[0, 0].round(3))
print("slope of the scale:  ", continued.jvp(at_zero, direction)[0, 0].round(3))

# %%
# How to choose
# -------------
#
# Trees and other least-squares learners start on probabilities: targets are bounded,
# averages of targets in a leaf are averages of probabilities, and corrections cost
# little. Linear students and networks start on cross-entropy. The log scale counts a
# mistake between 0.001 and 0.01 like one between 0.09 and 0.5; take it when ratios near
# zero matter to you, and with weak corrections only.
