"""Rows that are made up from others, for teachers to label.

A student can learn from more rows than have outcomes, since a teacher answers for any
row. Nothing here knows outcomes or labels: rows go in, and similar rows come out.
"""

from semikd.synthetic.drawing import DrawnRows
from semikd.synthetic.rows import SyntheticRows, as_synthetic

__all__ = ["DrawnRows", "SyntheticRows", "as_synthetic"]
