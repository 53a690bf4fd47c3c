"""The names that options of the main job take, and how some of them go together."""

STUDENTS = ("tree", "forest", "linear", "network")
TEACHERS_OF_CLASSES = ("network", "ensemble", "meta", "self-distilled")
LAYERS = ("angle", "contrastive", "distance", "hint", "similarity")
TEACHERS = ("boosting", "forest", "extra-trees", "linear", *TEACHERS_OF_CLASSES)
TASKS = ("auto", "classification", "regression")
# By name and not by their classes, which the help would wait for.
SHIFTS = ("adaptive_margin", "logit_adjustment")
OF_CLASSES = ("reliability", "adaptive_alpha", "confidence", "trust", *SHIFTS)
CORRECTIONS = ("none", "orthogonal", *OF_CLASSES)
PRESETS = ("none", "fast", "balanced", "thorough")
# Students that come in many sizes.
SIZED = ("tree", "forest")
