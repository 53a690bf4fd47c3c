"""Honest choice among all ways of distilling: nested labels, and rows that judge."""

from semikd.selection.auto import AutoDistiller
from semikd.selection.candidates import Candidate
from semikd.selection.choice import Choice

__all__ = ["AutoDistiller", "Candidate", "Choice"]
