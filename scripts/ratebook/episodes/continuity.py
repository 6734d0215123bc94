"""Whether care continued after discharge, or what came before it could."""

from __future__ import annotations

import ibis

STEP_DOWN = ["RES35", "RES31"]
AMBULATORY_DETOX = "WM_OP"


def build_continuity(
    cohort: ibis.Table,
    claims: ibis.Table,
    coc_windows_days: list[int],
    coc_categories: list[str],
    coc_count_navigator: bool,
    coc_count_day0: bool,
) -> ibis.Table:
    """Find the first treatment after discharge, and whether it came within each window.

    The first of these ends the wait: treatment, another detox, death, disenrolment, the end of data, the
    window. Treatment on the last day of the window, or on the day of a competing event, still counts. Another
    detox, of whatever setting, is failure and never treatment; the navigator is not either, unless asked, for
    an outcome must not count what is being studied. On the day of discharge only care elsewhere or a
    step-down to another 24-hour level counts.

    Parameters
    ----------
    cohort : Cohort
    claims : Claims
    coc_windows_days : list of int
        Windows after discharge.
    coc_categories : list of str
        Service categories that continue care.
    coc_count_navigator : bool
        Whether a line of a navigator does too.
    coc_count_day0 : bool
        Whether the day of discharge counts at all.

    Returns
    -------
    Continuity

    References
    ----------
    methods.md, B6; H18.
    """
    waits = _add_first_service(cohort, claims, coc_categories, coc_count_navigator, coc_count_day0)
    windows = ibis.memtable([(days,) for days in coc_windows_days], schema={"window_days": "int64"})
    waits = waits.cross_join(windows)
    days_to = {
        "service": waits.service_days,
        "readmitted": waits.readmission_date.delta(waits.discharge_date, unit="day"),
        "observed": waits.follow_end_date.delta(waits.discharge_date, unit="day"),
    }
    later = waits.window_days + 1
    service, readmitted, observed = (days.fill_null(later) for days in days_to.values())
    # Observation to the last day of the window is the whole window: only an end before it cuts it short,
    # except that death on the last day is death.
    died = waits.follow_end_reason == "death"
    is_cut = (observed < waits.window_days) | (died & (observed <= waits.window_days))
    is_continued = (service <= waits.window_days) & (service <= readmitted) & (service <= observed)
    is_readmitted = (readmitted <= waits.window_days) & (readmitted <= observed)
    return waits.select(
        "person_id",
        "window_days",
        is_continued=is_continued,
        days_to_service=ibis.ifelse(is_continued, service, ibis.null("int64")),
        wait_days=ibis.least(service, readmitted, observed, waits.window_days),
        end_reason=ibis.cases(
            (is_continued, "service"),
            (is_readmitted, "readmitted"),
            (is_cut, waits.follow_end_reason),
            else_="window",
        ),
    )


def _add_first_service(
    cohort: ibis.Table, claims: ibis.Table, categories: list[str], count_navigator: bool, count_day0: bool
) -> ibis.Table:
    continues = claims.category.isin(categories) & (claims.level != AMBULATORY_DETOX).fill_null(True)
    counted = continues | (claims.category == "NAVIGATOR") if count_navigator else continues
    lines = claims.filter(counted)
    lines = lines.select(
        "category",
        served=lines.person_id,
        service_date=lines.service_start_date,
        served_by=ibis.coalesce(lines.facility_npi, lines.billing_npi, lines.rendering_npi, "unknown"),
    )
    key = cohort.select("person_id", "discharge_date", "facility_id")
    after = key.join(lines, [key.person_id == lines.served, lines.service_date >= key.discharge_date])
    elsewhere = after.category.isin(STEP_DOWN) | (after.served_by != after.facility_id)
    counts = (after.service_date > after.discharge_date) | (elsewhere & count_day0)
    after = after.filter(counts)
    first = after.group_by("person_id").agg(
        service_days=after.service_date.delta(after.discharge_date, unit="day").min()
    )
    return cohort.left_join(first, "person_id").drop("person_id_right")
