"""The same persons on two clocks: from first to last contact, and from enrolment to disenrolment."""

from __future__ import annotations

from ratebook.contracts.episodes import ARMS
from ratebook.engagement.curves import curves_by_arm, rmst_in, rmst_rows, unknown_to
from ratebook.engagement.estimates import Measured, contrast_rows
from ratebook.engagement.resampling import resample


def clock_rows(persons, causes, horizons_days, min_observed_share, boot_reps, seed) -> list[dict]:
    """The administrative clock, and what it adds to the contact clock among the same persons.

    On the administrative clock the end of the enrolment is the end, whatever the contacts say.
    """
    both = persons[persons.admin_days.notna()].reset_index(drop=True)
    draws = resample(both.arm, both.provider_id, boot_reps, seed)
    enrolled = both.assign(end_reason=both.has_admin_end.map({True: "ended", False: "end_of_data"}))
    admin = curves_by_arm(enrolled, both.admin_days, draws, ["ended"])
    contact = curves_by_arm(both, both.days, draws, causes)
    rows = rmst_rows(admin, draws, "admin", "kaplan_meier", horizons_days, min_observed_share)
    for tau in horizons_days:
        gaps = {}
        for arm in ARMS:
            reason = unknown_to(admin[arm], tau, min_observed_share)
            reason = reason or unknown_to(contact[arm], tau, min_observed_share)
            long, short = rmst_in(admin[arm], tau, reason), rmst_in(contact[arm], tau, reason)
            gaps[arm] = Measured(
                long.estimate - short.estimate, long.replicates - short.replicates, long.persons, reason=reason
            )
        rows += contrast_rows("measurement_gap", tau, "admin", "kaplan_meier", gaps, draws, ("difference",))
    for row in rows:
        row["reason"] = "no enrolment dates in the arm" if row["reason"] == "no person in the arm" else row["reason"]
    return rows
