"""Experiments where the class probabilities are known."""
