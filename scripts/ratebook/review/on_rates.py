"""Checks of rates, programs and the release itself (H7, H11, H47 to H69)."""

from __future__ import annotations

import pandas as pd

from ratebook.contracts.base import Contract
from ratebook.contracts.released import RELEASED
from ratebook.disclosure import disclose, is_small
from ratebook.rates.build_up import FACTORS, projected_pmpm
from ratebook.review.seen import CannotSay, Seen, checks


def kept_share(rates: pd.DataFrame) -> pd.Series:
    """Give what the loads leave of each rate."""
    return 1 - rates.admin_share - rates.margin_share - rates.tax_share


@checks("H7")
def immature_base(seen: Seen):
    """Count categories whose base is less than 90% paid and was not completed; 1 with under 3 months of runout."""
    end, extract = (pd.Timestamp(seen.setting("study", day)) for day in ("window_end", "extract_date"))
    if extract < end + pd.DateOffset(months=3):
        return 1.0, "the data were drawn less than 3 months after the study ends"
    base = seen.table("base_completion")
    if base.completion_factor.isna().all():
        raise CannotSay("no date of payment: how complete the base is cannot be seen")
    immature = (base.completion_factor < 0.90) & (base.method == "none")
    return immature.sum(), f"the least complete category is {100 * base.completion_factor.min():.1f}% paid"


@checks("H11")
def retroactive_base(seen: Seen):
    """Give the share of the capitation base that was added retroactively."""
    months = seen.table("base_exclusions").set_index("status").member_months.astype(float)
    included, left_out = months.get("included", 0.0), months.get("retroactive", 0.0)
    if not included:
        raise CannotSay("no member month is in the base")
    inside = seen.fact("retro_base_months") - left_out
    share = max(round(inside / included, 6), 0.0)
    return share, f"{left_out:,.0f} retroactive member months are left out of the base"


@checks("H47")
def loads_divided(seen: Seen):
    """Take smoothing and loads off every rate again: what is left is the benefit, within the rounding of the rate."""
    rates = seen.table("rates")
    net = rates.rate_usd / rates.f_smoothing * kept_share(rates)
    return (net - rates.blended_pmpm_usd - rates.fixed_pmpm_usd).abs().max()


@checks("H48")
def trend_compounds(seen: Seen):
    """Recompute every trend factor from its two annual trends and its months."""
    build = seen.table("rate_build")
    annual = (1 + build.trend_utilisation) * (1 + build.trend_unit_cost)
    return (annual ** (build.trend_months / 12) - build.f_trend).abs().max()


@checks("H49")
def other_insurance_twice(seen: Seen):
    """Count cells with a factor for other insurance, although the base is net of it."""
    return (seen.table("rates").f_tpl != 1).sum(), "the base is what Medicaid paid: net of other insurance"


@checks("H50")
def flat_payments_completed(seen: Seen):
    """Count completion factors other than 1 on the category that holds the monthly case rate."""
    groups = seen.setting("rates", "category_groups")
    flat = [name for name, members in groups.items() if "NAVIGATOR" in members]
    base = seen.table("base_completion")
    completed = base[base.category.isin(flat)].completion_factor
    return (completed.notna() & (completed != 1)).sum(), "case rates are claims here, and reach the ledger with a lag"


@checks("H51")
def unargued_savings(seen: Seen):
    """Count managed-care factors below 1 with no rationale."""
    build = seen.table("rate_build")
    return ((build.f_managed_care < 1) & (build.rationale_managed_care.fillna("").str.len() == 0)).sum()


@checks("H52")
def thin_cells(seen: Seen):
    """Count cells below the smallest size that are fully believed."""
    rates = seen.table("rates")
    return ((rates.member_months < seen.setting("rates", "min_cell_member_months")) & (rates.credibility_z >= 1)).sum()


@checks("H53")
def budget_neutral(seen: Seen):
    """Compare what the plans of a cell are paid with its own rate, and a pool's rates with those before smoothing."""
    rates = seen.table("rates")
    plans = seen.table("plan_rates").merge(rates[["cell", "rate_usd"]], on="cell")
    plans = plans.assign(made=plans.member_months * (plans.plan_rate_usd - plans.rate_usd))
    loaded = (rates.blended_pmpm_usd + rates.fixed_pmpm_usd) / kept_share(rates)
    smoothed = (rates.member_months * loaded * (rates.f_smoothing - 1)).groupby(rates.pool).sum()
    adjusted = plans.groupby("cell").made.sum()
    return max(adjusted.abs().max(), smoothed.abs().max()), "plans by cell, smoothing by pool"


@checks("H54")
def cross_subsidy(seen: Seen):
    """Count cells whose margin is further from the margin load than the settings allow.

    The margin is what the rate leaves beside administration, taxes, care management and the cell's own best estimate
    of cost. Smoothing moves it from cell to cell.
    """
    rates = seen.table("rates", "rate_usd.notna()")
    rate = rates.rate_usd.astype(float)
    cost = rates.blended_pmpm_usd + rates.fixed_pmpm_usd
    margin = (rate * (1 - rates.admin_share - rates.tax_share) - cost) / rate
    allowed = seen.setting("rates", "margin_tolerance")
    count = ((margin - rates.margin_share).abs() > allowed).sum()
    return count, f"margins run from {100 * margin.min():.1f}% to {100 * margin.max():.1f}% of the rate"


@checks("H55")
def loss_ratio(seen: Seen):
    """Give the lowest projected medical loss ratio of any cell."""
    ratios = seen.table("rates").projected_mlr.dropna()
    if ratios.empty:
        raise CannotSay("no cell has a rate")
    return ratios.min()


@checks("H56")
def withhold(seen: Seen):
    """Count cells whose rate no longer covers its cost once the part not earned back is withheld."""
    return (seen.table("rates").is_withhold_sound.dropna() == False).sum()  # noqa: E712


@checks("H57")
def corridor(seen: Seen):
    """Count mirror-image deviations that do not settle as mirror images."""
    curve = seen.table("corridor").assign(deviation=lambda t: (t.actual_to_target - 1).round(9))
    mirror = curve.assign(deviation=-curve.deviation)
    pairs = curve.merge(mirror, on="deviation", suffixes=("", "_mirror"))
    if pairs.empty:
        raise CannotSay("the corridor is drawn on one side of its target only")
    return ((pairs.state_share_of_target + pairs.state_share_of_target_mirror).abs() > 1e-9).sum()


@checks("H58")
def upper_payment_limit(seen: Seen):
    """Count rates above what would otherwise have been paid."""
    known = seen.table("program_rates").upl_ok.dropna()
    if known.empty:
        raise CannotSay("no program has a comparable population in the data")
    return (known == False).sum()  # noqa: E712


@checks("H59")
def rate_range(seen: Seen):
    """Give the widest certified range."""
    rates = seen.table("rates")
    return round((rates.range_upper_usd / rates.rate_usd - 1).max(), 4)


@checks("H60")
def long_imd_stays(seen: Seen):
    """Count the base months whose stay in an institution for mental diseases is longer than capitation may cover."""
    months = seen.table("base_exclusions").set_index("status")[["member_months", "imd_member_months"]].astype(float)
    if "included" not in months.index or not months.member_months["included"]:
        raise CannotSay("no member month is in the base")
    left_out = months.imd_member_months.drop("included").sum()
    return months.imd_member_months["included"], f"{left_out:,.1f} such member months are left out of the base"


@checks("H61")
def discount_read(seen: Seen):
    """Give the smallest share of its base that any program's rate keeps."""
    discounts = seen.table("program_rates").discount.dropna()
    if discounts.empty:
        raise CannotSay("no program has a rate in the data")
    return 1 - discounts.max()


@checks("H62")
def day_counter(seen: Seen):
    """Compare each program's facility days when counted over the year and anew for each stay."""
    days = seen.table("plan_liability", "plan_nf_days > 0 and cell == 'all'")
    remark = f"days are counted {seen.setting('programs', 'nf_day_counter')}; both counts stand in the table"
    return (days.plan_nf_days_per_spell / days.plan_nf_days - 1).abs().max(), remark


@checks("H63")
def conversion_months(seen: Seen):
    """Give how far the longest time in a conversion cell passes the limit its program states."""
    rows = seen.table("program_reconciliation", "item.str.startswith('months in a cell') and assumed.notna()")
    if rows.actual.isna().all():
        raise CannotSay("nobody moved from a facility to a cell with a limit")
    return (rows.actual - rows.assumed).max(), f"limit: {rows.assumed.max():g} months"


@checks("H64")
def published_rates(seen: Seen):
    """Count rates of ours that equal a published one to the cent: the sign of a number that was typed in."""
    rates = seen.table("program_rates", "published_low_usd.notna() and rate_usd.notna()")
    return ((rates.rate_usd - rates.published_low_usd).abs() < 0.005).sum()


@checks("H65")
def rounding_last(seen: Seen):
    """Recompute every rate from its factors."""
    build, rates = seen.table("rate_build"), seen.table("rates").set_index("cell")
    factors = (build[name] for name in FACTORS)
    projected = projected_pmpm(build.base_usd, build.member_months, build.completion_factor, *factors)
    projected = projected.groupby(build.cell).sum()
    experience = projected.reindex(rates.index) * rates.f_tpl
    blended = rates.credibility_z * experience + (1 - rates.credibility_z) * rates.manual_pmpm_usd
    rate = (blended * rates.f_neutral + rates.fixed_pmpm_usd) / kept_share(rates) * rates.f_smoothing
    return (rate - rates.rate_usd).abs().max()


@checks("H66")
def provenance(seen: Seen):
    """Count what is missing of a seed and of a fingerprint for every source that was read."""
    sources = seen.table("source_manifest", "status == 'read'")
    seed = seen.setting("study", "seed")
    return sources.sha256.isna().sum() + (not isinstance(seed, int))


@checks("H67")
def small_cells(seen: Seen):
    """Hide small counts as the release does, then count those that still show, and tables that cannot hide any."""
    limit = seen.setting("release", "suppress_below")
    shown = sum(is_uncounted(released.contract, released.never) for released in RELEASED.values())
    of_name = {**seen.tables, "cohort": seen.tables.get("cohort_table")}
    for name, released in RELEASED.items():
        if of_name.get(name) is not None:
            frame = disclose(of_name[name], released.contract, limit, released.chains)
            counts = [c for c, f in released.contract.fields().items() if f.persons and c in frame]
            shown += sum(int(is_small(frame[count], limit).sum()) for count in counts)
    return shown


def is_uncounted(contract: type[Contract], never: tuple[str, ...] = ()) -> bool:
    """Say whether a table gives dollars month by month or day by day, and no count of the persons behind them.

    Columns of `never` are in no released copy: dollars among them are not given, a count among them still hides.
    """
    fields = contract.fields()
    is_fine = any(name.endswith(("month", "months", "day", "date")) for name in contract.Config.unique)
    dollars = [name for name in fields if name.endswith("_usd") and name not in never]
    return is_fine and bool(dollars) and not any(field.persons for field in fields.values())


@checks("H68")
def figure_data(seen: Seen):
    """Count released figures whose caption names no released table."""
    captions = seen.table("captions")
    return (~captions.table.isin(list(RELEASED))).sum()


@checks("H69")
def robust(seen: Seen):
    """Count variations of a choice that change the sign of a headline."""
    changes = seen.table("sensitivity").sign_change.dropna()
    if changes.empty:
        raise CannotSay("no headline could be estimated under a variation")
    return changes.sum()
