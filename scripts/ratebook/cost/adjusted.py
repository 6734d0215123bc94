"""The arms' costs under every model, in the sample and in every replicate of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.special import expit, ndtr, ndtri

from ratebook.contracts.cost_models import CUTS, MODEL_METHODS
from ratebook.contracts.episodes import ARMS
from ratebook.cost.censored import Panel
from ratebook.cost.glm import LINE, LOGIT, POISSON, Regression
from ratebook.cost.link_tests import Check, Data, choose_family
from ratebook.cost.resample import LEVELS, draw_providers, draw_weights
from ratebook.cost.two_part import MOST_ZEROS, CostModel, Members, smeared, unfit, zero_share
from ratebook.engagement.weights import chunks, overlap_weight

YEAR_DAYS = 365
NO_OVERLAP = 0.01
"""Overlap weights below this share of those of like arms leave nobody to compare."""
WHOLE_USD = 100.0
"""A quantile of cost is somebody's cost: as a cap it is rounded up to this."""


@dataclass
class Study:
    """One cost: which model is the primary one, why, and every model fitted to the whole sample.

    Attributes
    ----------
    primary : str
        one_part or two_part.
    why : str
        In words.
    park : Check or None
        The primary model's test of its family.
    models : dict
        Method to its model; methods that cannot be fitted, or need none, are absent.
    absent : dict
        Method to the reason why it is absent.
    caps_usd : dict
        Method to the amount above which its costs are cut.
    """

    outcome: np.ndarray
    primary: str = "one_part"
    why: str = ""
    park: Check | None = None
    models: dict[str, CostModel] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    caps_usd: dict[str, float] = field(default_factory=dict)

    @property
    def chosen(self) -> CostModel | None:
        """The primary model, if it could be fitted."""
        return self.models.get(self.primary)


def fit_study(members: Members, name: str, settings: dict) -> Study:
    """Choose the primary model of a cost and fit every method to the whole sample.

    In two parts where more than 5% of members have no cost, else in one. Each model's family is chosen by the
    modified Park test. Costs are cut at a quantile and at the payer's yearly cap for sensitivity only.

    Parameters
    ----------
    members : Members
    name : str
        Which cost.
    settings : dict
        `winsor_quantile`, `cost_cap_usd` a year, `horizon_days`.

    References
    ----------
    methods.md, D5, H41.
    """
    outcome = members.costs[name]
    study = Study(outcome)
    reason = unfit(members, outcome)
    if reason:
        study.absent = {method: reason for method in MODEL_METHODS if method != "unadjusted"}
        study.why = reason
        return study
    share = zero_share(members, outcome)
    parts = 2 if share > MOST_ZEROS else 1
    study.primary = "two_part" if parts == 2 else "one_part"
    # A share to the digit would give back how many have none: it is told to the next twentieth.
    side = f"more than 5% of members have no cost, about {round(share * 20) / 20:.0%}"
    side = side if parts == 2 else "at most 5% of members have no cost"
    study.why = f"{study.primary.replace('_', ' ')}: {side}"
    weight = members.weight(np.ones((1, int(members.unit.max()) + 1)))[0]
    _fit_parts(study, members, weight, parts)
    if study.chosen is None:
        return study
    family = study.chosen.size.family
    overlap, shared = _overlap(members)
    if shared < NO_OVERLAP:
        study.absent["overlap_weighted"] = "the covariates tell the arms apart: nobody might have had either"
    else:
        study.models["overlap_weighted"] = CostModel.of(
            members, outcome, weight * overlap, parts, family, study.chosen
        )
    study.models["ols_log_smearing"] = CostModel.of(members, outcome, weight, parts, LINE, study.chosen)
    seen, quantile = outcome[members.is_complete], settings["winsor_quantile"]
    study.caps_usd = {
        "winsorised": WHOLE_USD * float(np.ceil(np.quantile(seen, quantile, method="inverted_cdf") / WHOLE_USD)),
        "capped": settings["cost_cap_usd"] * settings["horizon_days"] / YEAR_DAYS,
    }
    for method, cap in study.caps_usd.items():
        if seen.max() > cap > 0:
            study.models[method] = CostModel.of(members, np.minimum(outcome, cap), weight, parts, family, study.chosen)
    return study


def _fit_parts(study: Study, members: Members, weight: np.ndarray, parts: int) -> None:
    """Fit the model in one part, and in two where there are two; keep the test of the primary one's family."""
    for number, method in [(1, "one_part"), (2, "two_part")][:parts]:
        used = members.is_complete & ((study.outcome > 0) | (number == 1))
        data = Data(members.rows[used], study.outcome[used], weight[used], members.unit[used])
        family, check = choose_family(data)
        model = CostModel.of(members, study.outcome, weight, number, family)
        if not model.size.is_settled:
            # Of them all a Poisson regression asks least of the data: it has a fit wherever there is a mean.
            check = check._replace(finding=f"poisson, as {family.name} has no fit", status="warn")
            model = CostModel.of(members, study.outcome, weight, number, POISSON)
        study.park = check if number == parts else study.park
        if model.size.is_settled:
            study.models[method] = model
        else:
            study.absent[method] = f"the {family.name} and the poisson regression have no fit"
    if parts == 1:
        study.absent["two_part"] = "at most 5% of members have no cost: one part serves"
    if study.chosen is None:
        lost = study.absent[study.primary]
        study.absent |= {m: lost for m in ("overlap_weighted", "ols_log_smearing", *CUTS)}


def _leaning(members: Members) -> Regression:
    """The propensity of the first arm, by logit on what was known at discharge."""
    rows = np.delete(members.rows, 1, axis=1)
    ones = np.ones(len(rows))
    return Regression.of(rows, members.treated.astype(float), ones, LOGIT, members.unit, int(members.unit.max()) + 1)


def _overlap(members: Members) -> tuple[np.ndarray, float]:
    """Give the overlap weights, and their mean as a share of what it is where the covariates say nothing."""
    leaning = _leaning(members)
    chance = expit(leaning.rows @ leaning.beta)
    share = members.treated.mean()
    return overlap_weight(chance, members.treated), float((chance * (1 - chance)).mean() / (share * (1 - share)))


def replicate_means(members: Members, studies: dict[str, Study], counts: np.ndarray) -> tuple[dict, dict]:
    """Estimate every method in every replicate: propensity, censoring and both parts anew.

    Parameters
    ----------
    members : Members
    studies : dict
        Cost to its study.
    counts : array (reps, units)
        How often each unit is drawn.

    Returns
    -------
    tuple
        (cost, method) to dollars per member of either arm (reps, 2), and (cost, part) to the primary model's
        coefficients (reps, p).
    """
    is_weighted = any("overlap_weighted" in study.models for study in studies.values())
    leaning = _leaning(members) if is_weighted else None
    means, betas = {}, {}
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for part in chunks(len(counts), len(members.treated)):
            block = _Block.of(members, leaning, counts[part])
            for name, study in studies.items():
                found, beta = block.estimate(study)
                for method, values in found.items():
                    means.setdefault((name, method), []).append(values)
                for half, values in beta.items():
                    betas.setdefault((name, half), []).append(values)
    joined = [{key: np.concatenate(values) for key, values in parts.items()} for parts in (means, betas)]
    return joined[0], joined[1]


@dataclass(frozen=True)
class _Block:
    """Some replicates: how often each unit and member is drawn, weights, overlap weights, and who is in the overlap."""

    members: Members
    counts: np.ndarray
    drawn: np.ndarray
    weight: np.ndarray
    overlap: np.ndarray
    tilt: np.ndarray

    @classmethod
    def of(cls, members: Members, leaning: Regression | None, counts: np.ndarray) -> _Block:
        drawn, weight = counts[:, members.unit], members.weight(counts)
        if leaning is None:
            return cls(members, counts, drawn, weight, weight, drawn)
        chance = expit(leaning.refit(counts, drawn) @ leaning.rows.T)
        overlap = weight * overlap_weight(chance, members.treated)
        chance *= 1 - chance
        chance *= drawn
        return cls(members, counts, drawn, weight, overlap, chance)

    def estimate(self, study: Study) -> tuple[dict, dict]:
        found = {"unadjusted": self._unadjusted(study.outcome)}
        betas = {}
        for method in ("one_part", "two_part"):
            if method in study.models:
                model = study.models[method]
                beta = model.refit(self.counts, self.weight)
                found[method] = model.predict(beta, self.drawn)
                betas = beta if method == study.primary else betas
        if study.chosen is None:
            return found, betas
        if "overlap_weighted" in study.models:
            model = study.models["overlap_weighted"]
            found["overlap_weighted"] = model.predict(model.refit(self.counts, self.overlap), self.tilt)
        # The chance of any cost is the primary model's: neither a logarithm nor a cap changes who has one.
        chance = {name: values for name, values in betas.items() if name == "chance"}
        model = study.models["ols_log_smearing"]
        beta = chance | {"size": model.size.refit(self.counts, self.weight[:, model.used])}
        found["ols_log_smearing"] = smeared(model, beta, self.weight, self.drawn)
        for method in study.caps_usd:
            found[method] = found[study.primary]
            if method in study.models:
                model = study.models[method]
                beta = chance | {"size": model.size.refit(self.counts, self.weight[:, model.used])}
                found[method] = model.predict(beta, self.drawn)
        return found, betas

    def _unadjusted(self, outcome: np.ndarray) -> np.ndarray:
        """Simple Bang-Tsiatis means: complete members' costs, weighed for those censored, over all members."""
        arms = np.column_stack([self.members.treated, ~self.members.treated]).astype(float)
        known = np.where(self.members.is_complete, outcome, 0.0)[:, None] * arms
        return (self.weight @ known) / (self.drawn @ arms)


def draw_counts(panels: Mapping[str, Panel], reps: int, seed: int) -> np.ndarray:
    """Draw providers with their members: the sample as it is, then every replicate; none where an arm has one provider.

    The draws are those of every other table of cost, so an unadjusted mean has the limits it has there.

    Returns
    -------
    array (1 + reps, providers of both arms)
    """
    weights = draw_providers(dict(panels), reps, seed)
    length = min(len(weights[arm]) for arm in ARMS)
    return np.concatenate([weights[arm][:length] for arm in ARMS], axis=1)


def draw_members(panels: Mapping[str, Panel], reps: int, seed: int) -> np.ndarray:
    """Draw members arm by arm: array (1 + reps, members of both arms)."""
    return np.concatenate(
        [np.concatenate(list(draw_weights(panels[arm].persons, reps, [seed, n]))) for n, arm in enumerate(ARMS)],
        axis=1,
    )


def leave_one_out(panels: Mapping[str, Panel]) -> tuple[np.ndarray, np.ndarray]:
    """Count every provider once but one, each left out in turn, of both arms where it serves both.

    Returns
    -------
    tuple
        Counts (providers, units of both arms), and the arm each provider left out stands in (providers,).
    """
    names, arms = [], []
    for arm in ARMS:
        units, member = np.unique(panels[arm].cluster, return_index=True)
        known = panels[arm].provider
        names += [f"{arm} {unit}" for unit in units] if known is None else list(known[member])
        arms += [arm] * len(units)
    _, first, provider = np.unique(names, return_index=True, return_inverse=True)
    return (np.arange(len(first))[:, None] != provider).astype(float), np.array(arms)[first]


def bca_limits(draws: np.ndarray, left_out: np.ndarray, arm: np.ndarray) -> tuple[float, float]:
    """Correct percentile limits for bias and acceleration.

    Parameters
    ----------
    draws : array (1 + reps,)
        Estimate, then replicates.
    left_out : array (units,)
        The estimate without each cluster.
    arm : array (units,)
        The arm each cluster was drawn in: influences are about their arm's mean, over its clusters.

    Returns
    -------
    tuple
        Lower and upper limit, 95%; nan where replicates or clusters are too few, or all on one side.

    References
    ----------
    methods.md, D5. Efron 1987; for several samples Davison and Hinkley 1997, section 5.3.2.
    """
    estimate, spread = draws[0], draws[1:][np.isfinite(draws[1:])]
    usable = np.isfinite(estimate) and np.isfinite(left_out).all() and len(spread) >= 0.9 * len(draws[1:])
    if not usable or len(spread) < 2:
        return np.nan, np.nan
    # An estimate that no replicate can differ from is not biased: half of the ties lie below.
    below = (spread < estimate).mean() + (spread == estimate).mean() / 2
    influence = []
    for one in np.unique(arm):
        mine = left_out[arm == one]
        influence.append((mine.mean() - mine) * (len(mine) - 1) / len(mine))
    pull = np.concatenate(influence)
    size = (pull**2).sum()
    acceleration = (pull**3).sum() / (6 * size**1.5) if size > 0 else 0.0
    bias = ndtri(below)
    if not np.isfinite(bias):
        return np.nan, np.nan
    reach = bias + ndtri(np.array(LEVELS))
    shares = ndtr(bias + reach / (1 - acceleration * reach))
    lower, upper = np.quantile(spread, shares)
    return float(lower), float(upper)
