r"""Rows of one population that teach a student of another.

Two ways in which populations differ can be put right without an outcome from the other.
Where only the *shares of the classes* differ, labels are shifted; where only the
*covariates* are distributed otherwise, rows are weighted.

Notes
-----
Letters: ``p`` probabilities of the population at hand, (n, k); :math:`\pi` shares of
classes, (k,); ``w`` weights, (n,).
"""

from semikd.transfer.priors import ClassPriors, estimated_priors, known_priors
from semikd.transfer.ratios import TransferWeights, effective_size, transfer_weights

__all__ = [
    "ClassPriors",
    "TransferWeights",
    "effective_size",
    "estimated_priors",
    "known_priors",
    "transfer_weights",
]
