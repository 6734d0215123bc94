"""Shares and means of persons whose providers are alike: the interval counts providers, not persons."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit, logit, stdtrit

NOBODY = "nobody to count"
ONE_PROVIDER = "fewer than two providers: no interval"
ALIKE = "no variation between providers: no interval"
EDGE = "none or all: no interval by this method"


def clustered_ratio(part: pd.Series, whole: pd.Series, cluster: pd.Series, is_share: bool = False) -> dict:
    """Give the ratio of two sums with an interval in which providers, with all their persons, are the sample.

    The variance is that of the ratio linearised, m / (m - 1) · Σ (Yc - R · Xc)² / (Σ Xc)² over the m providers;
    the interval is Student's with m - 1 degrees of freedom, of a share on the logit scale.

    Parameters
    ----------
    part, whole : Series (n,)
        What is summed above and below the line, by person.
    cluster : Series (n,)
        Provider of each person; a missing one makes the person a provider of its own.
    is_share : bool
        The ratio lies within 0 and 1, and so do its limits.

    Returns
    -------
    dict
        `estimate`, `lower`, `upper` and `reason`; null limits, and why, where nobody is, one provider stands
        alone, or nothing varies.

    References
    ----------
    methods.md, 0.1; Cochran 1977, section 11.8.
    """
    own = pd.Series("person " + np.arange(len(part)).astype(str).astype(object), index=part.index)
    unit = cluster.astype(object).where(cluster.notna(), own)
    above, below = (values.astype(float).groupby(unit).sum().to_numpy() for values in (part, whole))
    if not below.sum():
        return {"estimate": None, "lower": None, "upper": None, "reason": NOBODY}
    ratio, units = above.sum() / below.sum(), len(below)
    found = {"estimate": ratio, "lower": None, "upper": None}
    if units < 2:
        return {**found, "reason": ONE_PROVIDER}
    if is_share and ratio in (0, 1):
        return {**found, "reason": EDGE}
    error = np.sqrt(units / (units - 1) * ((above - ratio * below) ** 2).sum()) / below.sum()
    if error < 1e-12:
        return {**found, "reason": ALIKE}
    reach = stdtrit(units - 1, 0.975) * error
    if is_share:
        limits = expit(logit(ratio) + np.array([-1, 1]) * reach / (ratio * (1 - ratio)))
    else:
        limits = ratio + np.array([-1, 1]) * reach
    return {**found, "lower": float(limits[0]), "upper": float(limits[1]), "reason": None}


def clustered_median(values: pd.Series, cluster: pd.Series) -> dict:
    """Give the median with Woodruff's interval: the values at the limits of the share that lies up to the median."""
    if values.empty:
        return {"estimate": None, "lower": None, "upper": None, "reason": NOBODY}
    middle = float(values.median())
    share = clustered_ratio(values <= middle, pd.Series(1, index=values.index), cluster, is_share=True)
    found = {"estimate": middle, "lower": None, "upper": None, "reason": share["reason"]}
    if share["reason"]:
        return found
    # Ties put more than half at or below the median: the limits of one half are as far away as those of the share.
    lean = share["estimate"] - 0.5
    limits = np.clip([share["lower"] - lean, share["upper"] - lean], 0, 1)
    low, high = np.quantile(values.astype(float), limits, method="inverted_cdf")
    return {**found, "lower": float(low), "upper": float(high)}
