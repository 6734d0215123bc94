"""Both arms and every replicate of them, drawn once for all that compares them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ratebook.contracts.cost import COSTS, OTHER_SUD
from ratebook.contracts.episodes import ARMS
from ratebook.cost.censored import Panel
from ratebook.cost.intervals import interval_days
from ratebook.cost.panels import build_panels
from ratebook.cost.resample import draw_providers, means_of, quantile, replicate, summary
from ratebook.cost.total_cost import too_few_observed

PARTS = ("NAVIGATOR", "engaged_months", "log_units", *OTHER_SUD, *(f"units of {name}" for name in OTHER_SUD))
"""What total SUD cost is made of: months, units and dollars."""
MEANS = (*COSTS, "spells", *PARTS)
"""Whatever a comparison takes the mean per member of."""


@dataclass(frozen=True)
class Drawn:
    """Both arms, their providers drawn, and their means per member with replicates.

    Attributes
    ----------
    panels : dict
        Arm to its members; an arm without a member is not in it.
    weights : dict
        Arm to how often each of its providers counts, a row a replicate, as `draw_providers` gives it.
    means : dict
        Arm to `MEANS` per member, adjusted for censoring by interval: the estimate, then replicates.
    reps, seed : int
        What was drawn, so that members can be drawn alike.
    absent : str
        Why nothing can be estimated, if so.
    """

    panels: dict[str, Panel]
    weights: dict[str, np.ndarray]
    means: dict[str, dict[str, np.ndarray]]
    reps: int
    seed: int
    absent: str = ""

    @property
    def has_both(self) -> bool:
        """Say whether there are two arms to compare."""
        return len(self.panels) == len(ARMS)

    @property
    def pair(self) -> list[dict[str, np.ndarray]]:
        """Both arms' means in the order of `ARMS`, as many replicates of one as of the other."""
        return same_length([self.means[arm] for arm in ARMS])

    def among(self, arm: str) -> list[Panel]:
        """The panels behind a row: an arm's own, or both for their difference."""
        return [self.panels[name] for name in ARMS if arm in (name, "difference")]

    def persons(self, arm: str) -> int:
        """Members of an arm; of both for their difference."""
        return sum(panel.persons for panel in self.among(arm))

    def reach(self, arm: str) -> float:
        """Standard errors from an estimate to its limit."""
        return quantile(*self.among(arm))

    def found(self, draws: np.ndarray, arm: str, absent: str = "", is_positive: bool | None = None) -> dict:
        """Summarise replicates: a mean of an arm is above zero by its nature, a difference may be either."""
        is_positive = arm != "difference" if is_positive is None else is_positive
        return summary(draws, self.absent or absent, self.reach(arm), is_positive)


def draw_arms(
    follow_up: pd.DataFrame, person_costs: pd.DataFrame, client_intervals: pd.DataFrame, settings: dict
) -> Drawn:
    """Lay out both arms and draw their providers.

    Parameters
    ----------
    follow_up, person_costs, client_intervals : pandas.DataFrame
        As `FollowUp`, `PersonCosts`, `ClientIntervals`.
    settings : dict
        `horizon_days`, `intervals`, `boot_reps`, `seed`, `min_observed_share`.

    References
    ----------
    methods.md, D4 and D5 (bootstrap).
    """
    edges = interval_days(settings["horizon_days"], settings["intervals"])
    panels = build_panels(follow_up, person_costs, client_intervals, edges)
    return draw_panels(panels, settings["boot_reps"], settings["seed"], settings["min_observed_share"])


def draw_panels(panels: dict[str, Panel], reps: int, seed: int, min_observed_share: float = 0.0) -> Drawn:
    """Draw the providers of panels, and estimate every mean on the arms and on each replicate."""
    weights = draw_providers(panels, reps, seed)
    means = {arm: replicate(panel, means_of(MEANS), [weights[arm]]) for arm, panel in panels.items()}
    reasons = [too_few_observed(panel, min_observed_share) for panel in panels.values()]
    return Drawn(panels, weights, means, reps, seed, next(filter(None, reasons), ""))


def same_length(arms: list[dict[str, np.ndarray]]) -> list[dict[str, np.ndarray]]:
    """Keep as many replicates of each arm as the arm with the fewest has: an arm of one provider has none."""
    length = min(len(values) for draws in arms for values in draws.values())
    return [{name: values[:length] for name, values in draws.items()} for draws in arms]
