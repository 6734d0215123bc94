"""Cost per member of either arm, had everyone been in it: models of cost, and the average of what they predict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import expit

from ratebook.contracts.episodes import ARMS
from ratebook.cost.censored import Panel, Sample
from ratebook.cost.glm import LINE, LOGIT, Family, Regression
from ratebook.engagement.design import design_matrix

MOST_ZEROS = 0.05
"""Above this share of members without cost a model has two parts."""
PER_COLUMN = 5
"""Complete members with a cost that each column of a model asks for, at the least."""


@dataclass(frozen=True)
class Members:
    """Members of both arms, those of the first before those of the second.

    Attributes
    ----------
    treated : array (n,) of bool
        Of the first arm.
    covariates : DataFrame (n, p)
    unit : array (n,) of int
        Resampling unit, those of the first arm before those of the second.
    panels : mapping of str to Panel
        The arms, for the weights of those observed to the horizon.
    costs : mapping of str to array (n,)
        Dollars to the horizon; known of complete members only.
    """

    treated: np.ndarray
    covariates: pd.DataFrame
    unit: np.ndarray
    panels: Mapping[str, Panel]
    costs: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, panels: Mapping[str, Panel], known: pd.DataFrame, covariates: list[str], costs) -> Members:
        """Lay out both arms' panels in one, beside what was known of each member at discharge, in the same order."""
        first, second = (panels[arm] for arm in ARMS)
        return cls(
            np.repeat([True, False], [first.persons, second.persons]),
            design_matrix(known, covariates),
            np.concatenate([first.cluster, first.clusters + second.cluster]),
            panels,
            {name: np.concatenate([panels[arm].amounts[name].sum(axis=1) for arm in ARMS]) for name in costs},
        )

    def by_member(self) -> Members:
        """Give the members, each a resampling unit of their own."""
        panels = {arm: panel.by_member() for arm, panel in self.panels.items()}
        return replace(self, panels=panels, unit=np.arange(len(self.unit)))

    @property
    def is_complete(self) -> np.ndarray:
        """Observed to death or the horizon: the cost is known."""
        return np.concatenate([self.panels[arm].is_complete for arm in ARMS])

    @property
    def rows(self) -> np.ndarray:
        """Columns of every model: ones, the first arm, the covariates."""
        return np.column_stack([np.ones(len(self.treated)), self.treated, self.covariates.to_numpy()])

    def weight(self, counts: np.ndarray) -> np.ndarray:
        """Weigh each member in each replicate: how often drawn, over the chance of having been observed so far.

        The chance is the Kaplan-Meier of censoring by arm, of the replicate; who was censored weighs nothing.

        Parameters
        ----------
        counts : array (reps, units)

        Returns
        -------
        array (reps, n)
        """
        found, first = [], 0
        for arm in ARMS:
            panel = self.panels[arm]
            mine = counts[:, first : first + panel.clusters]
            first += panel.clusters
            stands_for = Sample(panel, mine).weight[:, panel.followed_days] * panel.is_complete
            found.append(mine[:, panel.cluster] * stands_for)
        return np.concatenate(found, axis=1)


def unfit(members: Members, outcome: np.ndarray) -> str:
    """Say why no model of a cost can be fitted, if so."""
    paid = members.is_complete & (outcome > 0)
    for arm, chosen in zip(ARMS, (members.treated, ~members.treated)):
        if not (paid & chosen).any():
            return f"no member of {arm} observed to the horizon has a cost: no logarithm of it"
    if paid.sum() < PER_COLUMN * (members.covariates.shape[1] + 2) and members.covariates.shape[1]:
        return "too few members observed to the horizon have a cost for so many covariates"
    return ""


def zero_share(members: Members, outcome: np.ndarray) -> float:
    """Share of members without cost, those observed weighed for those censored; nan where nobody was observed."""
    weight = members.weight(np.ones((1, members.unit.max() + 1)))[0]
    return float(weight[outcome <= 0].sum() / weight.sum()) if weight.sum() > 0 else float("nan")


@dataclass(frozen=True)
class CostModel:
    """A model of one cost, fitted: in two parts the chance of any cost and its size if any, in one part its size.

    Attributes
    ----------
    chance : Regression or None
        Logit of any cost, among complete members.
    size : Regression
        Of cost, or of its logarithm: among complete members, in two parts and in logarithms those with a cost.
    everyone : array (n, p)
        Columns of all members, for whom costs are predicted.
    used : array (n,) of bool
        Rows of `size`.
    """

    chance: Regression | None
    size: Regression
    everyone: np.ndarray
    complete: np.ndarray
    used: np.ndarray

    @classmethod
    def of(cls, members: Members, outcome, weight, parts: int, family: Family, like: CostModel | None = None):
        """Fit to the whole sample.

        Parameters
        ----------
        outcome, weight : array (n,)
            Dollars, and what each member weighs.
        like : CostModel, optional
            A model of nearly the same, to start from.
        """
        complete, rows, units = members.is_complete, members.rows, int(members.unit.max()) + 1
        used = complete & (outcome > 0) if parts == 2 or family is LINE else complete

        def regression(who, values, kind, start):
            start = None if start is None else start.beta
            return Regression.of(rows[who], values[who], weight[who], kind, members.unit[who], units, start)

        chance = regression(complete, (outcome > 0).astype(float), LOGIT, like and like.chance) if parts == 2 else None
        size = np.log(np.where(used, outcome, 1.0)) if family is LINE else outcome
        start = like.size if like and like.size.family is family else None
        return cls(chance, regression(used, size, family, start), rows, complete, used)

    def refit(self, counts: np.ndarray, weight: np.ndarray) -> dict[str, np.ndarray]:
        """Fit both parts again in every replicate: coefficients (reps, p) by part."""
        found = {"size": self.size.refit(counts, weight[:, self.used])}
        if self.chance is not None:
            found["chance"] = self.chance.refit(counts, weight[:, self.complete])
        return found

    def predict(self, beta: dict[str, np.ndarray], people: np.ndarray) -> np.ndarray:
        """Average what is predicted for everyone in the first arm, and in the second: recycled predictions.

        Parameters
        ----------
        beta : dict
            As `refit` gives it.
        people : array (reps, n)
            How much each person counts in the average.

        Returns
        -------
        array (reps, 2)
            Dollars per member of each arm.

        References
        ----------
        methods.md, D5.
        """
        x = self.everyone
        size = np.exp(_without_arm(beta["size"]) @ x.T)
        size *= people
        if "chance" in beta:
            flat = _without_arm(beta["chance"]) @ x.T
            first, second = (
                np.einsum("rn,rn->r", size, expit(flat + beta["chance"][:, 1:2] * is_first)) for is_first in (1, 0)
            )
        else:
            first = second = size.sum(axis=1)
        total = people.sum(axis=1)
        return np.column_stack([first * np.exp(beta["size"][:, 1]), second]) / total[:, None]

    def own_prediction(self, beta: dict[str, np.ndarray]) -> np.ndarray:
        """Predict each person's cost in their own arm, with coefficients (p,) by part: (n,)."""
        size = np.exp(self.everyone @ beta["size"])
        return size * expit(self.everyone @ beta["chance"]) if "chance" in beta else size

    @property
    def beta(self) -> dict[str, np.ndarray]:
        """The whole sample's coefficients, by part."""
        return {"size": self.size.beta} | ({} if self.chance is None else {"chance": self.chance.beta})


def smeared(model: CostModel, beta: dict, weight: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Average what a regression of the logarithm predicts, brought back to dollars by Duan's smearing in each arm.

    The mean of the exponentiated residuals of an arm is what its exponentiated predictions fall short by. Without
    a first part the chance of any cost is the arm's share.

    Returns
    -------
    array (reps, 2)

    References
    ----------
    methods.md, D5 and H39. Duan 1983.
    """
    means = model.predict(beta, people)
    line = model.size
    mine = weight[:, model.used]
    residual = np.exp(np.minimum(line.outcome - beta["size"] @ line.rows.T, 300.0))
    of_first = line.rows[:, 1] == 1
    for place, chosen in enumerate((of_first, ~of_first)):
        paid = mine[:, chosen].sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            means[:, place] *= np.einsum("rn,rn->r", mine[:, chosen], residual[:, chosen]) / paid
            if "chance" not in beta:
                arm = (model.everyone[:, 1] == 1) == (place == 0)
                means[:, place] *= paid / weight[:, arm].sum(axis=1)
    return means


def _without_arm(beta: np.ndarray) -> np.ndarray:
    flat = beta.copy()
    flat[:, 1] = 0.0
    return flat
