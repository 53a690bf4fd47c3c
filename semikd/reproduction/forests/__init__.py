"""Experiments in which forests teach forests, on tables."""
