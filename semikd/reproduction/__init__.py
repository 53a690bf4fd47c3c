"""The paper's experiments: remade as they were done, and done again honestly.

``semikd reproduce`` is the way in. Published numbers, the protocol of the released code
and an honest one each have a module of their own; an experiment is a list of cells, of
which each is done once, and its tables put the three side by side.
"""

EXPERIMENTS = ("trees", "depth", "cifar", "strength", "synthetic")

__all__ = ["EXPERIMENTS"]
