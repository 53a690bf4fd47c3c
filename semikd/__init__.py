"""Compress a large classifier into a small one, and prove how good the small one is.

The trip of the data is one sentence: *teacher labels, correction moves, student learns,
statistics judge*. Names resolve when they are first used, so that importing the package
costs next to nothing.
"""
