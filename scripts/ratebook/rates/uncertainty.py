"""How sure a rate is: persons, completion and trend redrawn together, and which of them moves the rate most.

Persons never leave the engine. Their months and cost are summed there by groups, the first two digits of a digest of
the person key: 256 groups that are alike but for chance, of which a person is in one with all of his months. Redrawing
groups redraws persons, and a replicate is a product of matrices.
"""

from __future__ import annotations

from typing import NamedTuple

import ibis
import numpy as np
import pandas as pd

from ratebook.contracts.rate_uncertainty import RateTornado, RateUncertainty
from ratebook.rates.trend import SEASONS_FROM, fit_months, seasonal_design
from ratebook.tables import empty_frame

Z95 = 1.959963984540054
LOADS = ("admin_share", "margin_share", "tax_share", "fixed_pmpm_usd")
MOVED = 0.10
SAMPLED = "95% limits of this factor alone, the others as they stand"
ASSUMED = "10% less and 10% more of what is assumed: not sampled"
NO_COST = "no cost, or fewer than two groups of members: no interval"


def build_cell_groups(members: ibis.Table, lines: ibis.Table, categories: list[str]) -> ibis.Table:
    """Sum the base by cell, category and group of persons; a category without a claim costs 0.

    Parameters
    ----------
    members, lines : ibis.Table
        As `base.place_members` and `base.place_claims` give them.
    categories : list of str
        Every category of `config.yaml` rates.category_groups.

    Returns
    -------
    CellGroups
    """
    return _sums(
        members.filter(members.is_base & (members.status == "included")),
        lines.filter(lines.is_base & (lines.status == "included")),
        ["cell"],
        categories,
    )


def build_group_months(
    members: ibis.Table, lines: ibis.Table, categories: list[str], window: tuple[str, str]
) -> ibis.Table:
    """Sum the study's months by category, group of persons and month, all cells together.

    Returns
    -------
    GroupMonths
    """
    inside = members.service_month.between(ibis.date(window[0]), ibis.date(window[1]))
    return _sums(
        members.filter(inside & (members.status == "included")),
        lines.filter(lines.status == "included"),
        ["service_month"],
        categories,
    )


def _sums(members: ibis.Table, lines: ibis.Table, by: list[str], categories: list[str]) -> ibis.Table:
    def grouped(table: ibis.Table) -> ibis.Table:
        return table.mutate(person_group=table.person_id.hexdigest("md5").substr(0, 2))

    counted, served = grouped(members), grouped(lines)
    exposure = counted.group_by(*by, "person_group").agg(
        members=counted.person_id.nunique(), member_months=counted.member_months.sum()
    )
    offered = ibis.memtable(pd.DataFrame({"category": sorted(categories)}), schema={"category": "string"})
    grid = exposure.cross_join(offered)
    cost = served.group_by(*by, "person_group", category="rate_category").agg(paid_usd=served.cost_usd.sum())
    rows = grid.left_join(cost, [*by, "person_group", "category"])
    return rows.mutate(paid_usd=rows.paid_usd.fill_null(0)).select(
        *by, "category", "person_group", "members", "member_months", "paid_usd"
    )


class Book(NamedTuple):
    """Every rate as arrays: cells J, categories K, groups G, pools P."""

    categories: list[str]
    cost: np.ndarray
    """(G, J, K) base cost, carried to the rating period by the factors in force."""
    months: np.ndarray
    """(G, J) base member months."""
    credibility: np.ndarray
    manual: np.ndarray
    """(J) manual rate before loads; NaN where it is the pool's own mean."""
    pool: np.ndarray
    """(P, J) 1 where a cell is in the pool."""
    fixed: np.ndarray
    loads: np.ndarray


def _open(build: pd.DataFrame, rates: pd.DataFrame, cell_groups: pd.DataFrame) -> Book:
    cells, categories = pd.Index(rates.cell), sorted(build.category.unique())
    groups = cell_groups[cell_groups.cell.isin(cells) & cell_groups.category.isin(categories)]
    names, at = np.unique(groups.person_group.to_numpy(dtype=str), return_inverse=True)
    cell, category = cells.get_indexer(groups.cell), pd.Index(categories).get_indexer(groups.category)
    cost, months = np.zeros((len(names), len(cells), len(categories))), np.zeros((len(names), len(cells)))
    cost[at, cell, category] = groups.paid_usd.to_numpy(dtype=float)
    months[at, cell] = groups.member_months.to_numpy(dtype=float)
    carried = np.zeros(cost.shape[1:])
    factor = (build.projected_pmpm_usd / build.paid_pmpm_usd).where(build.paid_pmpm_usd > 0, 0.0)
    carried[cells.get_indexer(build.cell), pd.Index(categories).get_indexer(build.category)] = factor
    pooled = rates.manual_source.to_numpy() == "pooled"
    _, of_pool = np.unique(rates.pool.to_numpy(dtype=str), return_inverse=True)
    return Book(
        categories,
        cost * carried * rates.f_tpl.to_numpy()[:, None],
        months,
        rates.credibility_z.to_numpy(dtype=float),
        np.where(pooled, np.nan, rates.manual_pmpm_usd.to_numpy(dtype=float)),
        (of_pool == np.arange(of_pool.max() + 1)[:, None]) & pooled,
        rates.fixed_pmpm_usd.to_numpy(dtype=float),
        rates[["admin_share", "margin_share", "tax_share"]].sum(axis=1).to_numpy(dtype=float),
    )


def _rate(book: Book, pmpm: np.ndarray, months: np.ndarray) -> np.ndarray:
    """Blend and load: cost per member month of replicates by cells to rates before smoothing, as `derive_rates` does."""
    weighted = months @ book.pool.T.astype(float)
    total = (pmpm * months) @ book.pool.T
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(weighted > 0, total / weighted, 0.0)
    external = ~np.isnan(book.manual)
    manual = np.where(external, np.nan_to_num(book.manual), mean @ book.pool)
    raw = book.credibility * pmpm + (1 - book.credibility) * manual
    drawn = (raw * months) @ book.pool.T
    neutral = np.where(drawn > 0, total / np.where(drawn > 0, drawn, 1.0), 1.0)
    blended = raw * np.where(external, 1.0, neutral @ book.pool)
    return (blended + book.fixed) / (1 - book.loads)


def draw_trends(
    categories: list[str],
    trend: pd.DataFrame,
    ultimates: pd.DataFrame,
    group_months: pd.DataFrame,
    weights: np.ndarray,
    settings: dict,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the logarithms of each category's annual trend and of what moved its base, as deviations.

    Redrawn persons refit the trend, so a base that is high by chance comes with the trend the same months make, and
    who comes and leaves may tilt a fit more than its residuals show. What months lie off the fit beyond what persons
    explain moves everybody: such months are drawn with the variance that is left, and lie in the base too. An assumed trend is drawn by its own error and leaves the base alone.

    Parameters
    ----------
    weights : numpy.ndarray
        Replicates by groups, the groups in order of their names.

    Returns
    -------
    tuple of numpy.ndarray
        Replicates by categories: trend a year, and base.
    """
    shape = (len(weights), len(categories))
    yearly, level = np.zeros(shape), np.zeros(shape)
    used = trend[trend.component == "pmpm"].set_index("category")
    breaks = [pd.Timestamp(day).year * 12 + pd.Timestamp(day).month for day in settings["trend"]["break_months"]]
    first, last = (pd.Timestamp(settings[end]).to_period("M") for end in ("base_start", "base_end"))
    share = ultimates.assign(share=(ultimates.paid_usd / ultimates.ultimate_usd).where(ultimates.ultimate_usd > 0))
    for place, category in enumerate(categories):
        if category not in used.index:
            continue
        error, source = used.std_error[category], used.source[category]
        mine = group_months[group_months.category == category]
        young = share[(share.category == category) & (share.share < settings["trend"]["reportable_completion"])]
        mine = mine[~mine.service_month.isin(young.incurred_month)]
        paid, exposure = (
            mine.pivot_table(index="person_group", columns="service_month", values=name, aggfunc="sum", fill_value=0.0)
            .astype(float)
            .sort_index(axis=1)
            for name in ("paid_usd", "member_months")
        )
        fitted = paid.columns[paid.sum() > 0][-settings["trend"]["fit_months"] :]
        if source == "assumption" or len(fitted) < settings["trend"]["min_months"] or len(paid) != weights.shape[1]:
            yearly[:, place] = error * rng.standard_normal(len(weights))
            continue
        paid, exposure, months = paid[fitted].to_numpy(), exposure[fitted].to_numpy(), pd.PeriodIndex(fitted, freq="M")
        number = np.array([month.year * 12 + month.month for month in months])
        whole = paid.sum(axis=0) / exposure.sum(axis=0)
        row = fit_months(number, whole, breaks).row
        ratio = (weights @ paid) / (weights @ exposure) / whole
        redrawn = np.log(np.where(ratio > 0, ratio, 1.0))
        left = max(error**2 / (row @ row) - _spread_about_fit(redrawn, number, breaks), 0.0)
        common = np.sqrt(left) * rng.standard_normal((len(weights), len(row)))
        in_base = np.array([first <= month <= last for month in months])
        yearly[:, place] = (redrawn - redrawn.mean(axis=0) + common) @ row
        level[:, place] = common @ in_base / ((last - first).n + 1)
    return yearly, level


def _spread_about_fit(redrawn: np.ndarray, number: np.ndarray, breaks: list[int]) -> float:
    """Give the variance of a month about the fit that redrawing persons alone makes."""
    design = seasonal_design(number, breaks, len(number) >= SEASONS_FROM)
    residual = redrawn - redrawn @ np.linalg.pinv(design).T @ design.T
    freedom = len(number) - np.linalg.matrix_rank(design)
    return float((residual**2).sum(axis=1).mean() / max(freedom, 1))


def estimate_uncertainty(
    build: pd.DataFrame,
    rates: pd.DataFrame,
    base_completion: pd.DataFrame,
    ultimates: pd.DataFrame,
    trend: pd.DataFrame,
    cell_groups: pd.DataFrame,
    group_months: pd.DataFrame,
    settings: dict,
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Redraw persons, completion and trend together, and say how far each rate moves with all and with each.

    Groups of persons are drawn with replacement; a category's completion errs as Mack says, its trend as
    `draw_trends` says. A cell drawn towards its pool stays apart from it by what the pool cannot know of it: the part
    1-z of the cell's own variance that Bühlmann and Straub leave. The limits lie 1.96 standard errors of the rate's
    logarithm around the rate, which is smoothed: never below 0. The weights of credibility, loads, what is missing,
    pooling, changes within and after the base, managed care and smoothing are taken as known, and what persons cost
    beyond the attachment point is redrawn with them, so a pooled cell has limits rather too wide; the tornado moves the loads by a tenth and says that they were not sampled.

    Parameters
    ----------
    build, rates, base_completion, ultimates, trend, cell_groups, group_months : pandas.DataFrame
        RateBuild, Rates, BaseCompletion, Ultimates, Trend, CellGroups and GroupMonths.
    settings : dict
        `config.yaml` rates; `replicates` says how often.
    seed : int

    Returns
    -------
    RateUncertainty, RateTornado

    References
    ----------
    methods.md, E2, E3, E4 and E6.
    """
    if rates.empty or build.empty or cell_groups.empty:
        return empty_frame(RateUncertainty), empty_frame(RateTornado)
    rng, book, replicates = np.random.default_rng(seed), _open(build, rates, cell_groups), settings["replicates"]
    groups, cells, kinds = book.cost.shape
    weights = rng.multinomial(groups, np.full(groups, 1 / groups), replicates).astype(float)
    complete = base_completion.set_index("category").reindex(book.categories)
    relative = (complete.std_error_usd / complete.ultimate_usd).fillna(0.0).to_numpy()
    completion = relative * rng.standard_normal((replicates, kinds))
    yearly, level = draw_trends(book.categories, trend, ultimates, group_months, weights, settings, rng)
    carried = yearly * build.trend_months.iloc[0] / 12 + level
    base, months = book.cost.sum(axis=0), book.months.sum(axis=0)
    drawn_months = weights @ book.months
    drawn = (weights @ book.cost.reshape(groups, -1)).reshape(replicates, cells, kinds)
    with np.errstate(divide="ignore", invalid="ignore"):
        pmpm = np.where(months > 0, base.sum(axis=1) / months, 0.0)
        redrawn = np.where(drawn_months > 0, drawn.sum(axis=2) / drawn_months, pmpm)
        everything = np.where(
            drawn_months > 0, np.einsum("rjk,rk->rj", drawn, np.exp(completion + carried)) / drawn_months, pmpm
        )
    own = (redrawn - pmpm).std(axis=0) * np.sqrt(book.credibility * (1 - book.credibility))
    apart = own * rng.standard_normal((replicates, cells))
    centre = _rate(book, pmpm[None], months[None])[0]

    def alone(deviation: np.ndarray) -> np.ndarray:
        """Move categories by logarithms, all cells alike."""
        return _error(
            _rate(book, np.exp(deviation) @ base.T / np.where(months > 0, months, 1.0), months[None]), centre
        )

    def one(place: int) -> np.ndarray:
        only = np.zeros_like(carried)
        only[:, place] = carried[:, place]
        return alone(only)

    shift = book.pool.any(axis=0) * apart / (1 - book.loads)
    errors = {
        "members": _error(_rate(book, redrawn, drawn_months), centre),
        "completion": alone(completion),
        "trend": alone(carried),
        "credibility": _error(centre + shift, centre),
    }
    by_trend = {f"trend of {category}": one(place) for place, category in enumerate(book.categories)}
    error = _error(_rate(book, everything, drawn_months) + shift, centre)
    person_groups = (book.months > 0).sum(axis=0)
    rate = rates.rate_usd.astype(float).to_numpy()
    known = ~np.isnan(rate) & (person_groups > 1) & (base.sum(axis=1) > 0)
    error = np.where(known, error, np.nan)
    found = pd.DataFrame(
        {
            "cell": rates.cell,
            "members": rates.members,
            "rate_usd": rates.rate_usd,
            "lower": rate * np.exp(-Z95 * error),
            "upper": rate * np.exp(Z95 * error),
            "std_error_share": error,
            **{f"{name}_error_share": np.where(known, part, np.nan) for name, part in errors.items()},
            "sum_lower": rates.lower,
            "sum_upper": rates.upper,
            "person_groups": person_groups,
            "replicates": replicates,
            "reason": np.where(known, None, NO_COST),
        }
    )
    moved = {name: errors[name] for name in ("members", "completion", "credibility")} | by_trend
    return found[list(RateUncertainty.types())], _tornado(rates[known].reset_index(drop=True), moved, known)


def with_limits(rates: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Give rates the limits of `estimate_uncertainty`; a cell without them says why, as it did or as they do.

    Parameters
    ----------
    rates : Rates
    found : RateUncertainty
    """
    limits = found.set_index("cell").reindex(rates.cell)
    return rates.assign(
        lower=limits.lower.to_numpy(dtype=float),
        upper=limits.upper.to_numpy(dtype=float),
        reason=rates.reason.astype(object).where(rates.reason.notna(), limits.reason.to_numpy()),
    )


def _error(drawn: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Give the standard error of the logarithm of each cell's rate."""
    safe = np.where(centre > 0, centre, 1.0)
    return np.log(np.maximum(drawn / safe, 1e-6)).std(axis=0)


def _tornado(rates: pd.DataFrame, errors: dict[str, np.ndarray], known: np.ndarray) -> pd.DataFrame:
    """Lay out what each factor alone does to a rate, the widest first."""
    if rates.empty:
        return empty_frame(RateTornado)
    rate, parts = rates.rate_usd.to_numpy(dtype=float), []
    for factor, error in errors.items():
        low, high = (rate * np.exp(sign * Z95 * error[known]) for sign in (-1, 1))
        parts.append(_ends(rates, factor, low, high, True))
    shares = rates[list(LOADS[:3])].sum(axis=1).to_numpy(dtype=float)
    for load in LOADS:
        by = MOVED * rates[load].to_numpy(dtype=float)
        ends = [
            rate + sign * by / (1 - shares) * rates.f_smoothing.to_numpy(dtype=float)
            if load == "fixed_pmpm_usd"
            else rate * (1 - shares) / (1 - shares - sign * by)
            for sign in (-1, 1)
        ]
        parts.append(_ends(rates, load, *ends, False))
    table = pd.concat(parts, ignore_index=True)
    table = table.sort_values(["cell", "swing_usd", "factor"], ascending=[True, False, True], ignore_index=True)
    table["rank"] = table.groupby("cell").cumcount() + 1
    return table[list(RateTornado.types())]


def _ends(rates: pd.DataFrame, factor: str, low: np.ndarray, high: np.ndarray, is_sampled: bool) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "cell": rates.cell,
            "factor": factor,
            "members": rates.members,
            "low_usd": low,
            "high_usd": high,
            "swing_usd": np.maximum(high - low, 0.0),
            "is_sampled": is_sampled,
            "reason": SAMPLED if is_sampled else ASSUMED,
        }
    )
