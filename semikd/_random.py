"""Seeds as arguments: integers drawn before any work is dispatched.

Results then depend neither on the number of workers nor on the order in which they
finish, and no global generator is ever read or moved.
"""

import numpy as np

from semikd._validation import invalid

RandomState = int | np.integer | np.random.Generator | np.random.RandomState | None

# scikit-learn and torch both take seeds below 2**31 without complaint.
_SEED_BOUND = 2**31 - 1


def spawn_seeds(random_state: RandomState, n_seeds: int) -> list[int]:
    """Return ``n_seeds`` independent integers; a larger count keeps the first ones."""
    children = np.random.SeedSequence(_entropy(random_state)).spawn(n_seeds)
    words = (int(child.generate_state(1, np.uint64)[0]) for child in children)
    return [word % _SEED_BOUND for word in words]


def generator(random_state: RandomState) -> np.random.Generator:
    """Return a generator of its own stream for this seed."""
    return np.random.Generator(np.random.PCG64(_entropy(random_state)))


def _entropy(random_state: RandomState) -> int | None:
    """Reduce any accepted form of seed to the entropy of a ``SeedSequence``."""
    if random_state is None:
        return None
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(_SEED_BOUND))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(_SEED_BOUND))
    if isinstance(random_state, int | np.integer) and random_state >= 0:
        return int(random_state)
    raise invalid(
        "random_state",
        "be a non-negative integer, a numpy generator or None",
        random_state,
        "Pass an integer to make the result repeatable",
    )
