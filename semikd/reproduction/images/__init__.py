"""Experiments on photographs: teachers of growing depth, strengths of correction."""
