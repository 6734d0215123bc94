"""From base experience to rates: every factor a column, so that anyone can multiply the row again."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from ratebook.contracts.rates import Corridor, Credibility, PlanRates, RateBuild, Rates
from ratebook.rates import build_up
from ratebook.rates.credibility import buhlmann_straub, full_standard, limited_fluctuation, ratio_variance
from ratebook.rates.relativities import derive_relativities
from ratebook.tables import empty_frame

RANGE_WIDTH = 0.05
BAND_WIDTH = 0.015
Z95 = 1.959963984540054
ERRORS_IN_RATES = "a step of the rate: chance, completion and trend are redrawn together for the interval of rates"
WEIGHTS_KNOWN = "weights of credibility are taken as known: no interval"


def derive_rate_build(
    experience: pd.DataFrame,
    moments: pd.DataFrame,
    base_completion: pd.DataFrame,
    trend: pd.DataFrame,
    pooling: pd.DataFrame,
    settings: dict,
) -> pd.DataFrame:
    """Carry each cell's base cost, category by category, to the rating period.

    The order of the factors is fixed: completion, what is missing, pooling, changes within the base, trend, program
    changes, managed care. All are of the category, all cells together, but pooling, which is of the cell and the same
    for its categories. A category whose completion cannot be measured has factor 1 and says so; base dollars are net
    of other insurance and of what patients pay, so patient liability has no factor.

    Parameters
    ----------
    experience : BaseExperience
    moments : CellMoments
        For the members of each cell.
    base_completion : BaseCompletion
    trend : Trend
    pooling : Pooling
        A cell that is not in it is not pooled: factor 1.
    settings : dict
        `config.yaml` rates.

    Returns
    -------
    RateBuild

    References
    ----------
    methods.md, E4 and E10.
    """
    base = experience[experience.service_month.between(settings["base_start"], settings["base_end"])]
    if base.empty:
        return empty_frame(RateBuild)
    rows = base.groupby(["cell", "category"], as_index=False)[["paid_usd", "units"]].sum()
    rows = rows.rename(columns={"paid_usd": "base_usd"})
    months = base.drop_duplicates(["cell", "pool", "plan", "service_month"]).groupby("cell").member_months.sum()
    rows["member_months"] = rows.cell.map(months)
    rows["members"] = rows.cell.map(moments.set_index("cell").members)
    rows = rows[rows.member_months > 0].reset_index(drop=True)
    complete = base_completion.set_index("category").reindex(rows.category).reset_index()
    rows["completion_factor"] = complete.completion_factor.fillna(1.0)
    rows["rationale_completion"] = np.where(
        complete.completion_factor.notna(),
        "paid over ultimate of the base period, " + complete.method.fillna("none"),
        "1.0: " + complete.reason.fillna("no paid dates"),
    )
    used = trend.pivot(index="category", columns="component", values="annual_trend").reindex(rows.category)
    source = trend.pivot(index="category", columns="component", values="source").reindex(rows.category)
    rows["trend_utilisation"] = used.utilisation.to_numpy()
    rows["trend_unit_cost"] = used.unit_cost.to_numpy()
    rows["rationale_trend"] = ("utilisation: " + source.utilisation + "; unit cost: " + source.unit_cost).to_numpy()
    rows["trend_months"] = build_up.months_of_trend(
        settings["base_start"], settings["base_end"], settings["rating_start"], settings["rating_end"]
    )
    rows["f_trend"] = build_up.trend_factor(rows.trend_utilisation, rows.trend_unit_cost, rows.trend_months)
    pooled = pooling.set_index("cell").reindex(rows.cell).reset_index()
    rows["f_pooling"] = pooled.f_pooling.fillna(1.0)
    rows["rationale_pooling"] = np.where(
        (pooled.excess_usd.fillna(0.0) > 0) | (pooled.charge_usd.fillna(0.0) > 0),
        "member years beyond the attachment point: the cell's excess out, its pool's charge in",
        "no member year of the pool is beyond the attachment point",
    )
    _assume(rows, "missing", settings["missing"], float, "nothing is known to be missing")
    base_months = build_up.months_of_base(settings["base_start"], settings["base_end"])
    on_level = partial(build_up.on_level_factor, base_months=base_months)
    _assume(rows, "base_changes", settings["base_changes"], lambda parts: on_level(**parts), "no change in the base")
    changes = settings["program_changes"]
    _assume(rows, "program", changes, lambda parts: build_up.program_factor(**parts), "no change")
    _assume(rows, "managed_care", settings["managed_care"], float, "no adjustment")
    rows["paid_pmpm_usd"] = rows.base_usd / rows.member_months
    rows["completed_pmpm_usd"] = rows.paid_pmpm_usd / rows.completion_factor
    rows["projected_pmpm_usd"] = build_up.projected_pmpm(
        rows.base_usd, rows.member_months, rows.completion_factor, *(rows[name] for name in build_up.FACTORS)
    )
    rows["reason"] = ERRORS_IN_RATES
    return rows[list(RateBuild.types())]


def _assume(rows: pd.DataFrame, name: str, chosen: dict, factor_of, none: str) -> None:
    """Add the factor and the rationale of a step that is assumed by category; 1 where nothing is."""
    rows[f"f_{name}"] = [factor_of(chosen[c]["value"]) if c in chosen else 1.0 for c in rows.category]
    rows[f"rationale_{name}"] = [chosen[c]["source"] if c in chosen else none for c in rows.category]


def derive_credibility(experience: pd.DataFrame, moments: pd.DataFrame, settings: dict) -> pd.DataFrame:
    """Say how far each cell's base experience may be believed.

    Limited fluctuation asks how wide chance leaves the cell's cost per member month, a member's months taken together;
    a fixed standard may be set instead. Bühlmann-Straub asks how much the cells of a pool differ beyond chance.

    Returns
    -------
    Credibility

    References
    ----------
    methods.md, E6.
    """
    cells = moments[moments.member_months > 0].sort_values("cell").reset_index(drop=True)
    if cells.empty:
        return empty_frame(Credibility)
    chosen = settings["credibility"]
    variance = ratio_variance(
        cells.members,
        cells.member_months,
        cells.paid_usd,
        cells.months_squared,
        cells.paid_squared,
        cells.paid_months,
    )
    rate = cells.paid_usd / cells.member_months
    cv = (np.sqrt(variance * cells.member_months) / rate).where(rate > 0)
    fixed = chosen["full_member_months"]
    standard = pd.Series(float(fixed), cells.index) if fixed else full_standard(chosen["z"], chosen["k"], cv)
    known = standard.notna() & (standard > 0)
    error = np.sqrt(variance)
    limited = np.where(known, limited_fluctuation(cells.member_months, standard.where(known, 1.0)), 0.0)
    straub = cells.cell.map(_straub_by_pool(experience, settings)).fillna(0.0)
    return pd.DataFrame(
        {
            "cell": cells.cell,
            "members": cells.members,
            "member_months": cells.member_months,
            "paid_pmpm_usd": rate,
            "lower": rate - Z95 * error,
            "upper": rate + Z95 * error,
            "std_error_usd": error,
            "cv_member_month": cv,
            "full_standard_member_months": standard,
            "limited_fluctuation_z": limited,
            "buhlmann_straub_z": straub,
            "credibility_z": straub if chosen["method"] == "buhlmann_straub" else limited,
            "reason": np.where(
                known, WEIGHTS_KNOWN, f"no cost, or fewer than two members: no credibility; {WEIGHTS_KNOWN}"
            ),
        }
    )


def _straub_by_pool(experience: pd.DataFrame, settings: dict) -> dict[str, float]:
    base = experience[experience.service_month.between(settings["base_start"], settings["base_end"])]
    cost = base.groupby(["cell", "pool", "plan", "service_month"], as_index=False).agg(
        paid_usd=("paid_usd", "sum"), member_months=("member_months", "first")
    )
    found = {}
    for _, pool in cost.groupby("pool"):
        paid = pool.pivot_table(index="cell", columns="service_month", values="paid_usd", aggfunc="sum").fillna(0.0)
        weight = pool.pivot_table(index="cell", columns="service_month", values="member_months", aggfunc="sum")
        weight = weight.fillna(0.0)
        weight = weight[weight.sum(axis=1) > 0]
        paid = paid.loc[weight.index]
        # What a month has in common (season, trend, what is not paid yet) is no difference between cells, nor chance.
        common = (paid.sum() / weight.sum()).replace(0.0, np.nan)
        mean = (paid / weight.where(weight > 0) / common * common.mean()).fillna(0.0)
        if len(weight):
            found.update(zip(weight.index, buhlmann_straub(mean.to_numpy(), weight.to_numpy()).credibility))
    return found


def derive_rates(
    build: pd.DataFrame,
    credibility: pd.DataFrame,
    base_completion: pd.DataFrame,
    trend: pd.DataFrame,
    places: pd.DataFrame,
    settings: dict,
) -> pd.DataFrame:
    """Turn each cell's projected cost into a rate with an interval; `uncertainty.with_limits` puts a better one in its place.

    The interval adds, on the scale of blended cost, the variance of chance among members (a member's months
    together), of completion (Mack) and of trend (the fit's, over the trend period), of the cell and of its pool; the
    loads, the pooling charge, the factor of smoothing and a manual rate from outside are taken as known. It is null
    for a cell of fewer than two members. A cell whose pool had no cost has no rate. Smoothing comes last: it moves
    the rate away from what its own cell is expected to cost, which the loss ratio looks at.

    Parameters
    ----------
    build : RateBuild
    credibility : Credibility
    base_completion : BaseCompletion
    trend : Trend
    places : pandas.DataFrame
        cell, pool, plan, as `place_cells` gives them.
    settings : dict
        `config.yaml` rates.

    Returns
    -------
    Rates

    References
    ----------
    methods.md, E4 to E6 and E8 to E10.
    """
    if build.empty:
        return empty_frame(Rates)
    loads = {name: settings["loads"][name]["value"] for name in ("admin_share", "margin_share", "tax_share")}
    rows = build.groupby("cell", as_index=False).agg(
        members=("members", "first"),
        member_months=("member_months", "first"),
        projected_pmpm_usd=("projected_pmpm_usd", "sum"),
    )
    rows["f_tpl"] = tpl_factor(settings)
    rows["tpl_pmpm_usd"] = rows.projected_pmpm_usd * rows.f_tpl
    trusted = credibility.set_index("cell").reindex(rows.cell).reset_index()
    rows["credibility_z"] = trusted.credibility_z.fillna(0.0)
    rows = rows.merge(places, on="cell", how="left")
    rows = _blend(rows, settings["manual_pmpm_usd"]["value"])
    rows["fixed_pmpm_usd"] = rows.plan.map(settings["loads"]["fixed_pmpm_usd"]["value"]).fillna(0.0)
    rows = rows.assign(**loads)
    rows["f_smoothing"] = derive_relativities(rows, settings).f_smoothing.to_numpy()
    unrounded = rows.f_smoothing * build_up.load_rate(rows.blended_pmpm_usd, rows.fixed_pmpm_usd, *loads.values())
    rows["rate_usd"] = unrounded.round(2).where(rows.blended_pmpm_usd > 0)
    rows = _add_interval(rows, build, trusted, base_completion, trend, settings)
    # What the loads leave, less care management: the blended cost itself where nothing is smoothed.
    rows["benefit_usd"] = rows.f_smoothing * rows.blended_pmpm_usd + (rows.f_smoothing - 1) * rows.fixed_pmpm_usd
    for part, share in zip(("admin_usd", "margin_usd", "tax_usd"), loads.values()):
        rows[part] = unrounded * share
    rated = rows.rate_usd.notna()
    mlr = build_up.projected_mlr(rows.blended_pmpm_usd, rows.fixed_pmpm_usd, rows.rate_usd, loads["tax_share"])
    rows["projected_mlr"] = mlr
    rows["is_mlr_met"] = (mlr >= settings["min_mlr"]).astype(object).where(rated, None)
    rows["range_upper_usd"] = unrounded * (1 + RANGE_WIDTH)
    rows["band_low_usd"], rows["band_high_usd"] = unrounded * (1 - BAND_WIDTH), unrounded * (1 + BAND_WIDTH)
    withheld, earned = (settings["withhold"][name]["value"] for name in ("withheld_share", "earned_share"))
    rows["withhold_usd"] = rows.rate_usd * withheld
    rows["rate_after_withhold_usd"] = build_up.rate_after_withhold(rows.rate_usd, withheld, earned)
    needed = rows.benefit_usd + rows.fixed_pmpm_usd + rows.admin_usd + rows.tax_usd
    # The rate is rounded to the cent and its parts are not.
    sound = rows.rate_after_withhold_usd >= needed - 0.01
    rows["is_withhold_sound"] = sound | ~rated
    return rows[list(Rates.types())]


def tpl_factor(settings: dict) -> float:
    """Give the share of cost left after other insurance; 1 where the base is net of it already, so that none counts twice."""
    return 1.0 if settings["base_is_net_of_tpl"] else 1 - settings["tpl_share"]["value"]


def _blend(rows: pd.DataFrame, manual: dict[str, float]) -> pd.DataFrame:
    """Blend with the manual rate of the cell or of its pool, else with the pool's own mean; its total then stays."""
    external = rows.cell.map(manual).fillna(rows.pool.map(manual)).astype(float)
    rows["manual_source"] = np.where(external.notna(), "external", "pooled")
    pooled = rows[external.isna()]
    months = pooled.groupby("pool").member_months.sum()
    total = (pooled.tpl_pmpm_usd * pooled.member_months).groupby(pooled.pool).sum()
    rows["manual_pmpm_usd"] = external.fillna(rows.pool.map(total / months))
    raw = build_up.blend(rows.tpl_pmpm_usd, rows.manual_pmpm_usd, rows.credibility_z)
    drawn = (raw * rows.member_months)[external.isna()].groupby(pooled.pool).sum()
    neutral = rows.pool.map((total / drawn).where(drawn > 0, 1.0)).fillna(1.0)
    rows["f_neutral"] = neutral.where(external.isna(), 1.0)
    rows["blended_pmpm_usd"] = raw * rows.f_neutral
    return rows


def _add_interval(rows, build, trusted, base_completion, trend, settings):
    completion = base_completion.set_index("category")
    completion_error = (completion.std_error_usd / completion.ultimate_usd).reindex(build.category).fillna(0.0)
    yearly = trend[trend.component == "pmpm"].set_index("category").std_error.reindex(build.category).fillna(0.0)
    part = build.projected_pmpm_usd * tpl_factor(settings)
    of_completion = (part * completion_error.to_numpy()) ** 2
    of_trend = (part * yearly.to_numpy() * build.trend_months / 12) ** 2
    rows["se_completion_usd"] = np.sqrt(of_completion.groupby(build.cell).sum().reindex(rows.cell).to_numpy())
    rows["se_trend_usd"] = np.sqrt(of_trend.groupby(build.cell).sum().reindex(rows.cell).to_numpy())
    relative = (trusted.std_error_usd / trusted.paid_pmpm_usd).where(trusted.paid_pmpm_usd > 0)
    rows = _blend_errors(rows, relative * rows.tpl_pmpm_usd)
    error = np.sqrt(rows.se_process_usd**2 + rows.se_completion_usd**2 + rows.se_trend_usd**2)
    scale = rows.f_neutral * rows.f_smoothing / (1 - rows.admin_share - rows.margin_share - rows.tax_share)
    rows["lower"], rows["upper"] = rows.rate_usd - Z95 * scale * error, rows.rate_usd + Z95 * scale * error
    rows["reason"] = np.select(
        [rows.rate_usd.isna(), error.isna()],
        ["no cost in the base period of the cell or its pool", "no cost, or fewer than two members: no interval"],
        default=None,
    )
    return rows


def _blend_errors(rows: pd.DataFrame, own: pd.Series) -> pd.DataFrame:
    """Carry each cell's errors through the blend with its pool.

    Chance among members is the cell's own: in the pool it averages out, and the cell is a part of its pool.
    Completion and trend are of the category: they err alike in every cell, and do not average out.
    """
    z, pooled = rows.credibility_z, rows.manual_source == "pooled"
    rest = (1 - z) * pooled
    months = rows.member_months.where(pooled, 0.0)
    weight = (months / months.groupby(rows.pool).transform("sum")).fillna(0.0)
    variance = own**2
    of_pool = (weight**2 * variance.fillna(0.0)).groupby(rows.pool).transform("sum")
    rows["se_process_usd"] = np.sqrt(z * (z + 2 * rest * weight) * variance + rest**2 * of_pool)
    for name in ("se_completion_usd", "se_trend_usd"):
        mean = (weight * rows[name]).groupby(rows.pool).transform("sum")
        rows[name] = z * rows[name] + rest * mean
    return rows


def derive_plan_rates(experience: pd.DataFrame, rates: pd.DataFrame, settings: dict) -> pd.DataFrame:
    """Adjust each cell's rate to the risk of every plan in it, neutral in total: member months times rates stay equal.

    The limits of the cell's rate are scaled alike: risk scores are taken as known.

    References
    ----------
    methods.md, E8.
    """
    base = experience[experience.service_month.between(settings["base_start"], settings["base_end"])]
    months = base.drop_duplicates(["cell", "pool", "plan", "service_month"])
    rows = months.groupby(["cell", "plan"], as_index=False).member_months.sum()
    rows = rows.merge(rates[["cell", "rate_usd", "lower", "upper", "reason"]], on="cell")
    if rows.empty:
        return empty_frame(PlanRates)
    rows["risk_score"] = rows.plan.map(settings["risk_scores"]["value"]).fillna(1.0).astype(float)
    rows["normalised_score"] = 1.0
    for _, cell in rows.groupby("cell"):
        rows.loc[cell.index, "normalised_score"] = build_up.normalise_scores(cell.member_months, cell.risk_score)
    rows["plan_rate_usd"] = rows.rate_usd * rows.normalised_score
    rows["lower"], rows["upper"] = rows.lower * rows.normalised_score, rows.upper * rows.normalised_score
    return rows[list(PlanRates.types())]


def derive_corridor(settings: dict) -> pd.DataFrame:
    """Tabulate who carries a deviation of cost from its target, from 80% to 120% of it."""
    ratio = np.round(np.arange(0.80, 1.2001, 0.005), 3)
    state = build_up.settle_corridor(ratio, 1.0, settings["corridor"]["value"])
    rows = {"actual_to_target": ratio, "state_share_of_target": state, "plan_share_of_target": ratio - 1 - state}
    return pd.DataFrame(rows)[list(Corridor.types())]


def place_cells(experience: pd.DataFrame) -> pd.DataFrame:
    """Give the pool and the plan with most member months of each cell."""
    months = experience.drop_duplicates(["cell", "pool", "plan", "service_month"])
    sums = months.groupby(["cell", "pool", "plan"], as_index=False).member_months.sum()
    sums = sums.sort_values(["cell", "member_months", "pool", "plan"]).drop_duplicates("cell", keep="last")
    return sums[["cell", "pool", "plan"]]
