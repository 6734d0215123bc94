"""What is known of a member: arm, transfer, the site's arm, follow-up, readmission and covariates, at every limit."""

from __future__ import annotations

import datetime as dt

import pytest

from cohort_data import CLAIMS, SPANS, cohort_drawer, people, study_drawer

study = pytest.fixture(study_drawer)
cohort_of = pytest.fixture(cohort_drawer)


def test_who_leaves_for_a_hospital_is_marked(cohort_of):
    cases = {
        "admitted on the day of discharge": ("2022-06-05", "2022-06-08", True),
        "on the day after, without a night": ("2022-06-06", "2022-06-06", True),
        "two days after: another admission": ("2022-06-07", "2022-06-08", False),
        "within the episode, over with it": ("2022-06-03", "2022-06-05", False),
        "begun before the episode: a record around it": ("2022-05-20", "2022-06-30", False),
    }
    header = "person_id | service_start_date | admission_date | discharge_date | category | cost_usd"
    stays = [f"{name} | {first} | {first} | {last} | IP_MEDICAL | 1.00" for name, (first, last, _) in cases.items()]
    claims = "\n".join([header, *stays])
    found = cohort_of(**people({key: {} for key in cases}), claims=claims)
    assert {name: row["is_acute_transfer"] for name, row in found.items()} == {
        name: moved for name, (*_, moved) in cases.items()
    }
    found = cohort_of(**people({key: {} for key in cases}), claims=claims.replace("IP_MEDICAL", "RES35"))
    assert not any(row["is_acute_transfer"] for row in found.values()), "a step down is no hospital"


def test_the_status_of_a_transfer_to_a_hospital_is_enough(cohort_of):
    cases = {"to a hospital": "02", "home": "01", "not stated": ""}
    drawn = people({key: {} for key in cases})
    header, *rows = drawn["episodes"].splitlines()
    rows = [f"{row} | {status}" for row, status in zip(rows, cases.values())]
    found = cohort_of(**{**drawn, "episodes": "\n".join([header + " | discharge_status", *rows])})
    assert {name: row["is_acute_transfer"] for name, row in found.items()} == {
        "to a hospital": True, "home": False, "not stated": False,
    }  # fmt: skip


def test_the_first_contact_in_time_decides_the_arm(cohort_of):
    cases = {
        "on the day of discharge": ({"contact": "2022-06-05"}, "none"),
        "on the day after": ({"contact": "2022-06-06"}, "RSN"),
        "on day 90, the limit": ({"contact": "2022-09-03", "program": "CSP"}, "CSP"),
        "on day 91": ({"contact": "2022-09-04"}, "none"),
        "on the last day of follow-up": ({"contact": "2022-06-09", "to": "2022-06-09"}, "RSN"),
        "after follow-up": ({"contact": "2022-06-10", "to": "2022-06-09"}, "none"),
    }
    cohort = cohort_of(**people({case: changes for case, (changes, _) in cases.items()}))
    assert {case: row["arm"] for case, row in cohort.items()} == {case: arm for case, (_, arm) in cases.items()}
    for row in cohort.values():
        assert (row["first_contact_date"] is None) == (row["provider_id"] is None) == (row["arm"] == "none")


def test_an_attempt_is_no_contact_and_a_later_program_does_not_change_the_arm(cohort_of):
    contacts = """\
        person_id | contact_date | program | provider_id | is_contact
        A         | 2022-06-07   | RSN     | P1          | false
        A         | 2022-06-08   | CSP     | P2          | true
        A         | 2022-06-09   | RSN     | P1          | true
        A         | 2022-01-10   | RSN     | P1          | true
        B         | 2021-12-03   | CSP     | P2          | true
        """
    cohort = cohort_of(contacts=contacts)
    row = cohort["A"]
    assert (row["arm"], row["provider_id"], row["first_contact_date"]) == ("CSP", "P2", dt.date(2022, 6, 8))
    assert row["is_both_programs"] and row["is_prior_program"]
    assert cohort["B"]["arm"] == "none"
    assert cohort["B"]["is_prior_program"], "180 days before admission, the limit"
    assert not cohort_of(contacts=contacts.replace("2021-12-03", "2021-12-02"))["B"]["is_prior_program"]


def test_the_arm_of_a_site_is_where_most_of_its_discharges_go(cohort_of):
    sites = {"most to RSN": ("RSN", "RSN", "CSP", "none"), "a tie": ("RSN", "CSP"), "nobody known": ("none",)}
    cases = {
        f"{site} {n}": {"facility": site, "program": arm, "contact": "" if arm == "none" else "2022-06-10"}
        for site, arms in sites.items()
        for n, arm in enumerate(arms)
    }
    found = {(row["facility_id"], row["site_arm"]) for row in cohort_of(**people(cases)).values()}
    assert found == {("most to RSN", "RSN"), ("a tie", "CSP"), ("nobody known", None)}


def test_follow_up_ends_with_death_disenrolment_or_the_window(cohort_of):
    cases = {
        "covered to the end of the window": ({}, "2023-12-31", "end_of_data"),
        "a day short": ({"to": "2023-12-30"}, "2023-12-30", "disenrolled"),
        "beyond the window": ({"to": "2024-03-31", "died": "2024-01-01"}, "2023-12-31", "end_of_data"),
        "died on the last day": ({"died": "2023-12-31"}, "2023-12-31", "death"),
        "died": ({"to": "2023-02-01", "died": "2023-02-01"}, "2023-02-01", "death"),
        "left, then died": ({"to": "2023-02-01", "died": "2023-02-02"}, "2023-02-01", "disenrolled"),
    }
    cohort = cohort_of(**people({case: changes for case, (changes, _, _) in cases.items()}))
    found = {case: (row["follow_end_date"].isoformat(), row["follow_end_reason"]) for case, row in cohort.items()}
    assert found == {case: (end, reason) for case, (_, end, reason) in cases.items()}


def test_a_change_of_plan_does_not_end_follow_up_but_a_day_without_cover_does(cohort_of):
    def covered(next_start):
        return (
            "person_id | start_date | end_date | plan | dual_group\n"
            "A | 2020-01-01 | 2022-08-31 | X | none\n"
            f"A | {next_start} | 2023-12-31 | Y | none"
        )

    assert cohort_of(spans=covered("2022-09-01"))["A"]["follow_end_date"] == dt.date(2023, 12, 31)
    assert cohort_of(spans=covered("2022-09-02"))["A"]["follow_end_date"] == dt.date(2022, 8, 31)


def test_a_readmission_is_seen_only_in_follow_up(cohort_of):
    assert cohort_of()["A"]["readmission_date"] == dt.date(2022, 9, 13)
    assert cohort_of(spans=SPANS.replace("2023-12-31", "2022-09-13"))["A"]["readmission_date"]
    assert cohort_of(spans=SPANS.replace("2023-12-31", "2022-09-12"))["A"]["readmission_date"] is None


def test_covariates_stop_on_the_day_before_admission(cohort_of):
    claims = """\
        person_id | service_start_date | category  | cost_usd
        A         | 2021-05-31         | OP_SUD    | 1.00
        A         | 2021-06-01         | OP_SUD    | 10.00
        A         | 2022-05-31         | OTHER_BH  | 100.00
        A         | 2022-06-01         | WM_RES    | 1000.00
        A         | 2022-03-03         | OTP       | 10000.00
        B         | 2022-03-02         | OTP       | 5.00
        """
    cohort = cohort_of(claims=claims)
    row = cohort["A"]
    assert (float(row["sud_cost_before_usd"]), float(row["total_cost_before_usd"])) == (10010, 10110)
    assert row["is_mental_before"] and row["is_moud_before"]
    assert not cohort["B"]["is_moud_before"], "91 days before admission"
    assert float(cohort_of(claims=CLAIMS)["B"]["total_cost_before_usd"]) == 0
