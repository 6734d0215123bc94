"""Cost per member adjusted for what was known at discharge: estimates, limits, checks of fit, coefficients."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.cost import COSTS
from ratebook.contracts.cost_models import CHECKS, CUTS, MODEL_METHODS, MODEL_TABLES, CostModels
from ratebook.contracts.episodes import ARMS
from ratebook.cost.adjusted import (
    Study,
    bca_limits,
    draw_counts,
    draw_members,
    fit_study,
    leave_one_out,
    replicate_means,
)
from ratebook.cost.glm import LINE
from ratebook.cost.intervals import interval_days
from ratebook.cost.link_tests import Check, Data, box_cox, copas, hosmer_lemeshow, log_residuals, pregibon
from ratebook.cost.panels import build_panels
from ratebook.cost.resample import contrast, quantile, summary
from ratebook.cost.total_cost import too_few_observed
from ratebook.cost.two_part import CostModel, Members, unfit
from ratebook.tables import empty_frame, frame_of

FEW_PROVIDERS = 20
"""With fewer in an arm, a bootstrap of members stands beside that of providers (methods.md, D5)."""
WEIGHTED = "members observed to the horizon weighed by 1 / K of their arm (IPCW), no offset"
ENDLESS = 10.0
"""A coefficient further from 0 than this on a log scale has run away: nobody of the level differs in outcome."""


def model_costs(
    cohort: pd.DataFrame,
    follow_up: pd.DataFrame,
    person_costs: pd.DataFrame,
    client_intervals: pd.DataFrame,
    settings: dict,
) -> dict[str, pd.DataFrame]:
    """Compare the arms' costs per member, adjusted for what was known at discharge.

    For each cost the primary model has two parts where more than 5% of members have no cost, else one, with a log
    link and the family that the modified Park test finds. Costs are predicted for every member in both arms, and
    averaged. Members censored are stood for by those observed longer.

    Parameters
    ----------
    cohort, follow_up, person_costs, client_intervals : pandas.DataFrame
        As `Cohort`, `FollowUp`, `PersonCosts`, `ClientIntervals`.
    settings : dict
        `horizon_days`, `intervals`, `boot_reps`, `min_observed_share`, `seed`, `covariates`, `winsor_quantile`,
        `cost_cap_usd`.

    Returns
    -------
    dict
        The tables of `MODEL_TABLES`. Where an arm has no member, or too few are observed to the horizon, the
        estimates are null with the reason, and the other tables empty.

    References
    ----------
    methods.md, C8, D5, H39 to H41.
    """
    edges = interval_days(settings["horizon_days"], settings["intervals"])
    panels = build_panels(follow_up, person_costs, client_intervals, edges)
    absent = _why_none(panels, settings["min_observed_share"])
    tables = {name: empty_frame(contract) for name, contract in MODEL_TABLES.items()}
    if not panels:
        return tables
    if absent:
        return tables | {"cost_models": _nothing(panels, settings["horizon_days"], absent)}
    people = follow_up[follow_up.arm.isin(ARMS)].sort_values("person_id", kind="stable")
    in_order = pd.concat([people[people.arm == arm] for arm in ARMS]).person_id
    known = cohort.set_index("person_id").reindex(in_order).reset_index()
    members = Members.of(panels, known, settings["covariates"], COSTS)
    studies = {name: fit_study(members, name, settings) for name in COSTS}
    draws = _draws(members, studies, settings)
    checks, tenths = _checks(members, studies, settings["seed"])
    parts = {
        "cost_models": _estimates(members, studies, draws, settings["horizon_days"]),
        "cost_model_checks": checks,
        "cost_model_fit": tenths,
        "cost_coefficients": _coefficients(members, studies, draws["betas"]),
        "cost_cuts": _cuts(members, studies),
    }
    return {name: frame_of(rows, MODEL_TABLES[name]) for name, rows in parts.items()}


def _why_none(panels: dict, min_observed_share: float) -> str:
    for arm in ARMS:
        if arm not in panels:
            return f"no member in {arm}"
    return next(filter(None, (too_few_observed(panels[arm], min_observed_share) for arm in ARMS)), "")


def _nothing(panels: dict, horizon_days: int, reason: str) -> pd.DataFrame:
    facts = {arm: (panels[arm].persons, panels[arm].clusters) if arm in panels else (0, 0) for arm in ARMS}
    facts["difference"] = tuple(np.sum(list(facts.values()), axis=0))
    rows = [
        {"estimand": name, "method": method, "arm": arm, "is_primary": False, "chosen_because": f"none: {reason}"}
        | {"horizon_days": horizon_days, "exposure": WEIGHTED, "persons": persons, "clusters": clusters}
        | {"reason": reason}
        for name in COSTS
        for method in MODEL_METHODS
        for arm, (persons, clusters) in facts.items()
    ]
    return frame_of(rows, CostModels)


def _draws(members: Members, studies: dict[str, Study], settings: dict) -> dict:
    """Resample providers; leave each out; resample members where providers are few."""
    reps, seed = settings["boot_reps"], settings["seed"]
    clusters = [members.panels[arm].clusters for arm in ARMS]
    means, betas = replicate_means(members, studies, draw_counts(members.panels, reps, seed))
    without, home = leave_one_out(members.panels)
    found = {"providers": means, "betas": betas, "left_out": {}, "home": home, "members": {}}
    if min(clusters) > 1:
        found["left_out"] = replicate_means(members, studies, without)[0]
    if min(clusters) < FEW_PROVIDERS:
        alone = members.by_member()
        of_members = {name: fit_study(alone, name, settings) for name in studies}
        found["members"] = replicate_means(alone, of_members, draw_members(alone.panels, reps, seed))[0]
    return found


def _estimates(members: Members, studies: dict[str, Study], draws: dict, horizon_days: int) -> list[dict]:
    panels = members.panels
    facts = {arm: {"persons": panels[arm].persons, "clusters": panels[arm].clusters} for arm in ARMS}
    facts["difference"] = {count: sum(facts[arm][count] for arm in ARMS) for count in ("persons", "clusters")}
    reach = {arm: quantile(panels[arm]) for arm in ARMS} | {"difference": quantile(*panels.values())}
    rows = []
    for name, study in studies.items():
        for method in MODEL_METHODS:
            model = study.models.get(method, study.chosen if method in CUTS else None)
            reason = study.absent.get(method, "")
            key = {"estimand": name, "method": method, "is_primary": method == study.primary and not reason}
            key |= {"chosen_because": study.why, "horizon_days": horizon_days, "exposure": WEIGHTED}
            key |= _form(model)
            by_arm = [_by_arm(draws[kind].get((name, method))) for kind in ("providers", "left_out", "members")]
            for arm in (*ARMS, "difference"):
                of_providers, left_out, of_members = (values[arm] for values in by_arm)
                found = summary(of_providers, reason, reach[arm], is_positive=arm in ARMS)
                as_drawn = summary(of_providers, reason)
                found |= {f"percentile_{side}": as_drawn[side] for side in ("lower", "upper")}
                lower, upper = (
                    bca_limits(of_providers, left_out, draws["home"]) if len(left_out) > 1 else (np.nan,) * 2
                )
                found |= {"bca_lower": lower, "bca_upper": upper}
                if len(of_members) > 1:
                    beside = summary(of_members, reason)
                    found |= {f"member_{stem}": beside[stem] for stem in ("std_error", "lower", "upper")}
                if arm == "difference" and not reason:
                    ratio = summary(by_arm[0]["ratio"], reason, reach[arm], is_positive=True)
                    found |= {"ratio": ratio["estimate"], "ratio_lower": ratio["lower"], "ratio_upper": ratio["upper"]}
                rows.append({**key, "arm": arm, "estimate_usd": found.pop("estimate"), **found, **facts[arm]})
    return rows


def _form(model: CostModel | None) -> dict:
    if model is None:
        return {}
    family = model.size.family
    return {"parts": 1 if model.chance is None else 2, "family": "log_normal" if family is LINE else family.name}


def _by_arm(means: np.ndarray | None) -> dict[str, np.ndarray]:
    """Split means (reps, 2) into the arms, their difference and their ratio."""
    if means is None:
        return dict.fromkeys((*ARMS, "difference", "ratio"), np.array([np.nan]))
    difference, ratio = contrast(means[:, 0], means[:, 1])
    return dict(zip(ARMS, means.T)) | {"difference": difference, "ratio": ratio}


def _checks(members: Members, studies: dict[str, Study], seed: int) -> tuple[list[dict], list[dict]]:
    weight = members.weight(np.ones((1, int(members.unit.max()) + 1)))[0]
    checks, fits = [], []
    for name, study in studies.items():
        persons = {"estimand": name, "persons": len(weight)}
        if study.chosen is None:
            nothing = [Check(check, np.nan, "not told", reason=study.why) for check in CHECKS]
            checks += [persons | check._asdict() for check in nothing]
            continue
        model, rows, complete = study.chosen, members.rows, members.is_complete
        whole = Data(rows, study.outcome, weight, members.unit)
        paid, everyone = whole.among(complete & (study.outcome > 0)), whole.among(complete)
        predicted = model.own_prediction(model.beta)[complete]
        tenth, rows_of_tenths = hosmer_lemeshow(everyone.outcome, predicted, everyone.weight)
        found = [study.park, *log_residuals(paid), box_cox(paid), pregibon(whole.among(model.used), model.size.family)]
        found += [tenth, copas(everyone.outcome, _by_other_half(members, study, weight, seed)[complete], everyone)]
        checks += [persons | check._asdict() for check in found]
        fits += [{"estimand": name, **row} for row in rows_of_tenths]
    for row in checks:
        row["status"] = "na" if row["reason"] else row["status"]
    return checks, fits


def _by_other_half(members: Members, study: Study, weight: np.ndarray, seed: int) -> np.ndarray:
    """Predict each member's cost from the half of the members, of both arms, that they are not in; nan where none can."""
    persons = len(weight)
    half = np.empty(persons, dtype=bool)
    rng = np.random.default_rng([seed, len(ARMS)])
    for chosen in (members.treated, ~members.treated):
        half[chosen] = rng.permutation(np.arange(chosen.sum()) % 2 == 0)
    predicted = np.full(persons, np.nan)
    parts = 1 if study.chosen.chance is None else 2
    for mine in (half, ~half):
        if not unfit(members, np.where(mine, 0.0, study.outcome)):
            model = CostModel.of(
                members, study.outcome, np.where(mine, 0.0, weight), parts, study.chosen.size.family, study.chosen
            )
            predicted[mine] = model.own_prediction(model.beta)[mine]
    return predicted


def _coefficients(members: Members, studies: dict[str, Study], betas: dict) -> list[dict]:
    terms = ["constant", f"arm {ARMS[0]}", *members.covariates.columns]
    rows = []
    for name, study in studies.items():
        if study.chosen is None:
            continue
        for part, scale in {"chance": "log odds", "size": "log of the mean"}.items():
            if part not in study.chosen.beta:
                continue
            draws = betas[name, part]
            for place, (term, values) in enumerate(zip(terms, members.rows.T)):
                found = summary(draws[:, place])
                has_run = abs(found["estimate"]) > ENDLESS and part == "chance"
                if has_run:
                    found |= {"estimate": np.nan, "std_error": np.nan}
                    found["reason"] = "no end: the level has only members with a cost, or only such without"
                is_level = set(np.unique(values)) <= {0.0, 1.0} and place > 1
                rows.append(
                    {"estimand": name, "part": part, "term": term, "scale": scale}
                    | {"coefficient": found["estimate"], "std_error": found["std_error"], "reason": found["reason"]}
                    | {"persons": int(values.sum()) if is_level else len(values)}
                )
    return rows


def _cuts(members: Members, studies: dict[str, Study]) -> list[dict]:
    rows = []
    for name, study in studies.items():
        seen = study.outcome[members.is_complete]
        for method in CUTS:
            cap = study.caps_usd.get(method, np.nan)
            over = np.maximum(seen - cap, 0.0) if np.isfinite(cap) else np.zeros(len(seen))
            reason = None if over.any() else study.absent.get(method, "no member costs more")
            rows.append(
                {"estimand": name, "method": method, "cap_usd": cap, "removed_usd": over.sum()}
                | {"removed_share": over.sum() / seen.sum() if seen.sum() > 0 else np.nan}
                | {"persons": int((over > 0).sum()), "reason": reason}
            )
    return rows
