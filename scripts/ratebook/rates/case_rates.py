"""Case rates for navigators: who stays how long, what is delivered to them, and what a flat payment must be."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd

from ratebook.contracts.episodes import ARMS
from ratebook.contracts.rates import CaseRates, ProviderRisk
from ratebook.dates import MONTH_DAYS, month_of
from ratebook.rates import build_up
from ratebook.tables import empty_frame

Z95 = 1.959963984540054
EXPECTED = "expected amounts at the rate as estimated: its limits stand in case_rates, chance in the panel's loss"
NO_SURVIVAL = "no survival of engagement for this arm"


def build_engaged_months(
    cohort: ibis.Table, spells: ibis.Table, contacts: ibis.Table, claims: ibis.Table, horizon_months: int
) -> ibis.Table:
    """Lay out each client's first spell with their arm's program, a row a month, with what was delivered and paid.

    Month 1 begins with the first contact; months are 30.4375 days. A client is engaged at the start of each month
    the spell reaches. Work and payments count in the month they fall in, up to the spell's last day; payments count
    to the end of its last month, since a monthly bill may follow the last contact.

    Returns
    -------
    EngagedMonths

    References
    ----------
    methods.md, E7.
    """
    in_arm = cohort.filter(cohort.arm.isin(ARMS)).select("person_id", "arm")
    first = spells.filter(spells.spell == 1)
    stays = first.inner_join(in_arm, [first.person_id == in_arm.person_id, first.program == in_arm.arm]).select(
        "person_id", "arm", "first_date", "last_date", "length_days", "is_event"
    )
    stays = stays.mutate(stay_months=_month_number(stays.length_days - 1))
    counts = ibis.range(1, horizon_months + 1).unnest().name("engaged_month").as_table()
    months = stays.cross_join(counts).filter(lambda t: t.engaged_month <= t.stay_months)
    work = _within(stays, contacts.select("person_id", "program", "minutes", "billable_units", day="contact_date"))
    work = work.group_by("person_id", "arm", "engaged_month").agg(
        minutes=work.minutes.sum(), units=work.billable_units.sum()
    )
    bills = claims.filter(claims.category == "NAVIGATOR")
    paid = _within(stays, bills.select("person_id", "program", "cost_usd", day="service_start_date"))
    paid = paid.group_by("person_id", "arm", "engaged_month").agg(paid_usd=paid.cost_usd.sum())
    key = ["person_id", "arm", "engaged_month"]
    joined = months.left_join(work, key).select(months, work.minutes, work.units)
    joined = joined.left_join(paid, key).select(joined, paid.paid_usd)
    return joined.select(
        *key,
        is_event=joined.is_event & (joined.engaged_month == joined.stay_months),
        is_last=joined.engaged_month == joined.stay_months,
        minutes=joined.minutes.fill_null(0),
        units=joined.units.fill_null(0),
        paid_usd=joined.paid_usd.fill_null(0),
    )


def _month_number(days: ibis.Value) -> ibis.Value:
    return (days / MONTH_DAYS).floor().cast("int64") + 1


def _within(stays: ibis.Table, rows: ibis.Table) -> ibis.Table:
    """Join a client's rows whose `day` falls in the months of the stay, and number the month."""
    joined = stays.inner_join(rows, [stays.person_id == rows.person_id, stays.arm == rows.program])
    joined = joined.filter(joined.day >= joined.first_date)
    joined = joined.mutate(engaged_month=_month_number(joined.day.delta(joined.first_date, unit="day")))
    return joined.filter(joined.engaged_month <= joined.stay_months)


def build_staffing(worker_time: ibis.Table) -> ibis.Table:
    """Sum up navigators' logs by program: caseload and time, to hold the assumed ones against.

    Returns
    -------
    Staffing
    """
    logged = worker_time.filter(worker_time.worker_id.notnull())
    logged = logged.mutate(month=month_of(logged.activity_date))
    each = logged.group_by("program", "worker_id", "month").agg(
        clients=logged.person_id.nunique(where=logged.is_contact),
        minutes=logged.minutes.sum(),
        client_minutes=logged.minutes.sum(where=logged.is_contact).fill_null(0),
    )
    sums = each.group_by("program").agg(
        workers=each.worker_id.nunique(),
        worker_months=each.count(),
        clients=each.clients.sum(),
        minutes=each.minutes.sum(),
        client_minutes=each.client_minutes.sum(),
    )
    return sums.select(
        "program",
        "workers",
        "worker_months",
        clients_per_worker=sums.clients.cast("float64") / sums.worker_months,
        minutes_per_worker_month=sums.minutes.cast("float64") / sums.worker_months,
        client_time_share=sums.client_minutes.cast("float64") / sums.minutes.cast("float64").nullif(0),
    )


def derive_case_rates(engaged: pd.DataFrame, survival: pd.DataFrame, settings: dict, seed: int) -> pd.DataFrame:
    """Derive the flat payments that cover what a client of each arm is expected to cost.

    The actuarial basis multiplies the share still engaged at the start of each month (Kaplan-Meier, from the
    engagement stage) with the cost of what is delivered to those engaged: units at the price of the unit form. The
    staffing basis prices a worker's year over the clients carried. Limits come from resampling clients; staffing
    rests on assumptions alone and has none.

    Parameters
    ----------
    engaged : EngagedMonths
    survival : SurvivalByMonth
        arm, month, survival_start.
    settings : dict
        `config.yaml` rates.case_rate.
    seed : int
        Seed of the resampling.

    Returns
    -------
    CaseRates

    References
    ----------
    methods.md, E7.
    """
    rows = [row for arm in ARMS for row in _arm_rates(arm, engaged[engaged.arm == arm], survival, settings, seed)]
    return pd.DataFrame(rows, columns=list(CaseRates.types())) if rows else empty_frame(CaseRates)


def _arm_rates(arm: str, engaged: pd.DataFrame, survival: pd.DataFrame, settings: dict, seed: int) -> list[dict]:
    clients = engaged.person_id.nunique()
    if not clients:
        return []
    price, load = settings["unit_price_usd"]["value"], settings["load_share"]["value"]
    units, paid = float(engaged.units.sum()) / len(engaged), float(engaged.paid_usd.sum()) / len(engaged)
    shared = {
        "arm": arm,
        "clients": clients,
        "load_share": load,
        "units_per_month": units,
        "unit_price_usd": price,
        "paid_per_month_usd": paid,
    }
    cost = month_costs(engaged, price, settings["horizon_months"])
    still = (
        survival[survival.arm == arm].sort_values("month").survival_start.dropna().to_numpy(dtype=float)[: len(cost)]
    )
    if not len(still):
        forms = ("per_episode", "per_month", "per_day", "hybrid")
        rows = [{**shared, "basis": "actuarial", "form": form, "reason": NO_SURVIVAL} for form in forms]
        return [
            *rows,
            _staffing_row(shared, settings, "per_month", None),
            _staffing_row(shared, settings, "per_day", None),
        ]
    cost = cost[: len(still)]
    spread = _bootstrap_errors(engaged, price, len(still), settings["resamples"], seed)
    months = float(still.sum())
    rows = []
    for form, (enrolment, value) in price_forms(still, cost).items():
        error = spread[form]
        reach = np.exp(Z95 * error) if error is not None else None
        limits = {"lower": value / reach, "upper": value * reach} if reach else {}
        monthly = build_up.episode_cost(still, cost)[0] / months
        rows.append(
            {
                **shared,
                "basis": "actuarial",
                "form": form,
                "enrolment_usd": enrolment,
                "value_usd": value,
                **limits,
                **{f"loaded_{side}": limit / (1 - load) for side, limit in limits.items()},
                "expected_months": months,
                "reason": None if error is not None else "too few clients to resample: no interval",
                **_loaded(value, monthly, shared),
            }
        )
    return [
        *rows,
        *(_staffing_row(shared, settings, form, months) for form in ("per_episode", "per_month", "per_day")),
    ]


def price_forms(survival: np.ndarray, month_cost: np.ndarray) -> dict[str, tuple[float, float]]:
    """Give, for each form, the payment at enrolment and the payment per episode, month or day that pay the same episode."""
    episode, months = build_up.episode_cost(survival, month_cost)
    return {
        "per_episode": (0.0, episode),
        "per_month": (0.0, episode / months),
        "per_day": (0.0, build_up.per_day(episode / months)),
        "hybrid": build_up.split_hybrid(survival, month_cost),
    }


def month_costs(engaged: pd.DataFrame, unit_price: float, horizon: int) -> np.ndarray:
    """Give the mean cost of what is delivered in each month to a client engaged at its start.

    The last month is the last in which a client was engaged, the horizon at most: beyond it no cost is known.
    """
    sums = engaged.groupby("engaged_month").agg(units=("units", "sum"), clients=("person_id", "count"))
    mean = (sums.units.astype(float) / sums.clients * unit_price).sort_index()
    return mean.loc[:horizon].to_numpy()


def _loaded(value: float, monthly: float, shared: dict) -> dict:
    keep = 1 - shared["load_share"]
    units, price = shared["units_per_month"], shared["unit_price_usd"]
    implied = monthly / keep / units if units > 0 else None
    equivalent = None if implied is None else bool(0.5 <= implied / price <= 2.0)
    return {"loaded_usd": value / keep, "implied_unit_price_usd": implied, "is_unit_equivalent": equivalent}


def _staffing_row(shared: dict, settings: dict, form: str, months: float | None) -> dict:
    monthly = build_up.staffing_rate(**{name: entry["value"] for name, entry in settings["staffing"].items()})
    found = {"per_month": monthly, "per_day": build_up.per_day(monthly), "per_episode": monthly * (months or 0.0)}
    return {
        **shared,
        "basis": "staffing",
        "form": form,
        "enrolment_usd": 0.0,
        "value_usd": found[form],
        "expected_months": months,
        "reason": "built from assumptions: no sampling error",
        **_loaded(found[form], monthly, shared),
    }


def _client_grids(engaged: pd.DataFrame, horizon: int) -> dict[str, np.ndarray]:
    """Lay the clients out as rows and the months as columns: engaged, ended, units."""
    within = engaged[engaged.engaged_month <= horizon]
    row = within.person_id.rank(method="dense").astype(int).to_numpy() - 1
    column = within.engaged_month.to_numpy() - 1
    grids = {}
    for name, values in {"engaged": 1.0, "ended": within.is_event.astype(float), "units": within.units}.items():
        grid = np.zeros((row.max() + 1, horizon))
        grid[row, column] = values
        grids[name] = grid
    return grids


def _bootstrap_errors(engaged: pd.DataFrame, price: float, horizon: int, resamples: int, seed: int) -> dict:
    """Give the standard deviation of the logarithm of each form's value over resampled clients; None below two."""
    grids = _client_grids(engaged, horizon)
    clients = len(grids["engaged"])
    forms = ("per_episode", "per_month", "per_day", "hybrid")
    if clients < 2:
        return dict.fromkeys(forms)
    weights = np.random.default_rng(seed).multinomial(clients, np.full(clients, 1 / clients), size=resamples)
    at_risk, ended, units = (weights @ grids[name] for name in ("engaged", "ended", "units"))
    safe = np.where(at_risk > 0, at_risk, 1.0)
    survival = np.cumprod(1 - ended / safe, axis=1)
    survival = np.hstack([np.ones((resamples, 1)), survival[:, :-1]])
    cost = units / safe * price
    draws = {form: [] for form in forms}
    for still, month_cost in zip(survival, cost):
        for form, (_, value) in price_forms(still, month_cost).items():
            draws[form].append(value)
    positive = {form: np.log(np.array(values)[np.array(values) > 0]) for form, values in draws.items()}
    return {form: float(np.std(logs, ddof=1)) if len(logs) > 1 else None for form, logs in positive.items()}


def derive_provider_risk(engaged: pd.DataFrame, case_rates: pd.DataFrame, settings: dict, seed: int) -> pd.DataFrame:
    """Show what a provider gains or loses on a stay of each length, and how often a panel of clients loses money.

    Revenue follows the form at its loaded actuarial value, so it includes the load; cost is what clients of the arm are
    delivered by month, without overhead. The margin shown is therefore before overhead, which it has to pay. A panel is `panel_clients` stays drawn from those seen; a stay whose end was not seen counts as it stands.

    Returns
    -------
    ProviderRisk

    References
    ----------
    methods.md, E7.
    """
    rows = []
    priced = case_rates[(case_rates.basis == "actuarial") & case_rates.value_usd.notna()]
    panel = settings["panel_clients"]
    for arm in ARMS:
        of_arm = engaged[engaged.arm == arm]
        if of_arm.empty:
            continue
        cost = np.cumsum(month_costs(of_arm, settings["unit_price_usd"]["value"], settings["horizon_months"]))
        horizon = len(cost)
        stays = of_arm.groupby("person_id").engaged_month.max().clip(upper=horizon).to_numpy()
        ended = np.bincount(stays, minlength=horizon + 1)[1:]
        month = np.arange(1, horizon + 1)
        draws = np.random.default_rng(seed).multinomial(panel, ended / ended.sum(), size=settings["resamples"])
        for rate in priced[priced.arm == arm].itertuples():
            times = {"per_episode": np.ones(horizon), "per_day": month * 365 / 12}.get(rate.form, month)
            revenue = (rate.enrolment_usd + rate.value_usd * times) / (1 - rate.load_share)
            margin = revenue - cost
            rows.append(
                pd.DataFrame(
                    {
                        "arm": arm,
                        "form": rate.form,
                        "stay_months": month,
                        "clients": ended[::-1].cumsum()[::-1],
                        "revenue_usd": revenue,
                        "cost_usd": cost,
                        "margin_usd": margin,
                        "panel_clients": panel,
                        "probability_of_loss": float(np.mean(draws @ margin < -1e-9)),
                        "reason": EXPECTED,
                    }
                )
            )
    return pd.concat(rows, ignore_index=True)[list(ProviderRisk.types())] if rows else empty_frame(ProviderRisk)
