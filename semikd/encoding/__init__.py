"""Raw tables as numbers: decided once by skrub, carried out by numpy wherever it goes.

:func:`fit_plan` lets skrub look at a training table, without the target, and keeps what
it decided as an :class:`Encoder`: a frozen list of columns with their categories, forms
of dates and medians. The encoder is what students are trained on and what is shipped
with them, so training and prediction cannot differ.

Notes
-----
Tree students read ordinal codes and NaN; linear students and networks read one feature
per category, medians in place of missing numbers, and standardised numbers.
"""

from semikd.encoding.categories import CategoryColumn
from semikd.encoding.dates import DateColumn
from semikd.encoding.encoder import Encoder
from semikd.encoding.numbers import NumberColumn, Scaling
from semikd.encoding.plan import TablePlan, fit_plan

__all__ = [
    "CategoryColumn",
    "DateColumn",
    "Encoder",
    "NumberColumn",
    "Scaling",
    "TablePlan",
    "fit_plan",
]
