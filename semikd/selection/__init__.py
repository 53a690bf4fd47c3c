"""Honest choice among all ways of distilling: nested labels, and rows that judge."""

from semikd.selection.auto import AutoDistiller
from semikd.selection.candidates import Candidate
from semikd.selection.choice import Choice
from semikd.selection.curve import SizeCurve, size_curve
from semikd.selection.leaks import LeakTest

__all__ = [
    "AutoDistiller",
    "Candidate",
    "Choice",
    "LeakTest",
    "SizeCurve",
    "size_curve",
]
