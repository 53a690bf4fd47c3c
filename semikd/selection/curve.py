"""How small a student may be: its loss by size, and the smallest that is good enough."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from semikd._random import RandomState
from semikd._validation import invalid, number
from semikd.evaluation import Table
from semikd.evaluation.tasks import Task
from semikd.inference import Comparison, fixed_sequence, paired_differences
from semikd.simplex import FloatArray
from semikd.students import StudentSize

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SizeCurve", "size_curve"]

_TEACHER = "teacher"
