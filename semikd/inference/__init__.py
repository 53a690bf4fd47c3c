"""Arrays in, frozen results out: how sure one may be of what was estimated."""

from semikd.inference.auc import auc_influence
from semikd.inference.bayes import bayes_distance
from semikd.inference.bootstrap import (
    max_t_p_values,
    max_t_quantile,
    multiplier_bootstrap,
)
from semikd.inference.coefficients import Coefficients
from semikd.inference.comparison import paired_differences
from semikd.inference.confidence_set import (
    ModelConfidenceSet,
    model_confidence_set,
)
from semikd.inference.crossed import CrossedComparison, crossed_differences
from semikd.inference.distance_bound import DistanceBound
from semikd.inference.estimating import EstimatingEquation
from semikd.inference.hypotheses import HypothesisTest
from semikd.inference.influence import InfluenceEstimate, mean_influence
from semikd.inference.leaves import LeafMeans, leaf_means
from semikd.inference.likelihood import likelihood_coefficients
from semikd.inference.log_odds import log_odds_coefficients
from semikd.inference.pigeonhole import crossed_bootstrap
from semikd.inference.powered import (
    PartlyLabelled,
    PoweredCoefficients,
    PoweredResult,
    PredictionGain,
    partly_labelled,
    powered_coefficients,
    powered_means,
    powered_regression,
)
from semikd.inference.remainder import LogOddsCoefficients
from semikd.inference.result import InferenceResult
from semikd.inference.scoring import score_test
from semikd.inference.sequence import FixedSequence, fixed_sequence
from semikd.inference.student_law import StudentLaw
from semikd.inference.verdicts import Comparison, Verdict

__all__ = [
    "Coefficients",
    "Comparison",
    "CrossedComparison",
    "DistanceBound",
    "EstimatingEquation",
    "FixedSequence",
    "HypothesisTest",
    "InferenceResult",
    "InfluenceEstimate",
    "LeafMeans",
    "LogOddsCoefficients",
    "ModelConfidenceSet",
    "PartlyLabelled",
    "PoweredCoefficients",
    "PoweredResult",
    "PredictionGain",
    "StudentLaw",
    "Verdict",
    "auc_influence",
    "bayes_distance",
    "crossed_bootstrap",
    "crossed_differences",
    "fixed_sequence",
    "leaf_means",
    "likelihood_coefficients",
    "log_odds_coefficients",
    "max_t_p_values",
    "max_t_quantile",
    "mean_influence",
    "model_confidence_set",
    "multiplier_bootstrap",
    "paired_differences",
    "partly_labelled",
    "powered_coefficients",
    "powered_means",
    "powered_regression",
    "score_test",
]
