"""How strong a hidden cause would have to be to explain a difference away."""

from __future__ import annotations

import numpy as np


def e_value(ratio: float, lower: float, upper: float) -> tuple[float, float]:
    """Give how strong a hidden cause would have to be to explain a risk ratio, and to explain its nearer limit.

    Both ties, to the arm and to the outcome, would have to be at least this risk ratio. 1 for a limit on the
    other side of 1: there chance alone is enough.

    References
    ----------
    methods.md, C9; VanderWeele & Ding 2017.
    """
    if ratio < 1:
        ratio, lower, upper = 1 / ratio, 1 / upper, 1 / lower
    nearer = max(lower, 1.0)
    return tuple(float(value + np.sqrt(value * (value - 1))) for value in (ratio, nearer))


def risk_ratio_of_hazard(ratio: float) -> float:
    """Turn the hazard ratio of a common outcome into a risk ratio (methods.md, C9)."""
    return float((1 - 0.5 ** np.sqrt(ratio)) / (1 - 0.5 ** np.sqrt(1 / ratio)))


def risk_ratio_of_mean(difference: float, spread: float) -> float:
    """Turn a difference of means into a risk ratio by its standardised size: exp(0.91 · difference / spread).

    References
    ----------
    methods.md, C9; VanderWeele & Ding 2017, after Chinn 2000.
    """
    return float(np.exp(0.91 * difference / spread))
