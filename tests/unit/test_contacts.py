"""Navigators' log entries to contacts: what counts, what is counted as time, and programs without a log."""

import pandas as pd
import pytest

from conftest import ROOT
from ratebook.clean.attrition import LOG_RULES, build_waterfall, count_persons
from ratebook.clean.contacts import clean_contacts, clean_worker_time, count_log, mark_log
from ratebook.codes import select_codes
from ratebook.contracts.clean import Claims, Contacts, Identity, Persons, WorkerTime
from ratebook.contracts.intake import NavigatorLog
from ratebook.tables import open_table, read_codes, read_counts, write_table

TYPES = ["face", "phone", "video", "text", "collateral"]
SERVICES = select_codes(read_codes(ROOT / "workflow/codes/services.csv"), "MA")
LOG = """\
    log_id | person_id | program | contact_date | contact_type | successful | minutes | billable_units
    1      | A         | RSN     | 2022-01-05   | face         | true       | 30      | 0
    2      | A         | RSN     | 2022-01-06   | attempt      | true       | 5       | 0
    3      | A         | RSN     | 2022-01-07   | phone        | false      | 5       | 0
    4      |           | RSN     | 2022-01-07   | training     | true       | 60      | 0
    5      | STRANGER  | RSN     | 2022-01-07   | face         | true       | 30      | 0
    1      | A         | RSN     | 2022-01-05   | face         | true       | 30      | 0
    6      | A         | RSN     |              | face         | true       | 30      | 0
    7      | A         | RSN     | 2023-01-01   | face         | true       | 30      | 0
    8      | D         | RSN     | 2022-03-02   | face         | true       | 30      | 0
    9      | D         | RSN     | 2022-03-01   | text         | true       | -3      | -1
    """
CLAIMS = """\
    claim_id | line_number | claim_type   | person_id | program | hcpcs_code | hcpcs_modifier_1 | service_start_date | units | is_money_only
    C1       | 1           | professional | A         | CSP     | H2015      |                  | 2022-02-01         | 4     | false
    C2       | 1           | professional | A         | RSN     | H2015      | HF               | 2022-02-01         | 1     | false
    C3       | 1           | professional | A         | CSP     | H2016      |                  | 2022-02-02         | 1     | false
    C4       | 1           | professional | A         | CSP     | H2015      |                  | 2022-02-03         | 0     | true
    """


@pytest.fixture
def marked(table, tmp_path):
    def mark(log):
        identity = table(
            "source_person_id | person_id\nA | A\nD | D", Identity, valid_from="1900-01-01", valid_to="9999-12-31"
        )
        persons = table("person_id | death_date\nA |\nD | 2022-03-01", Persons)
        return mark_log(table(log, NavigatorLog), identity, persons, "2022-12-31")

    return mark


@pytest.fixture
def kept(tmp_path):
    def keep(expression, contract):
        write_table(expression, tmp_path / contract.__name__, contract)
        return open_table(tmp_path / contract.__name__, contract).execute()

    return keep


def test_a_contact_is_successful_and_of_a_kind_that_reaches_the_client(marked, table, kept):
    contacts = kept(clean_contacts(marked(LOG), table(CLAIMS, Claims), SERVICES, TYPES), Contacts)
    log = contacts[contacts.source == "log"]
    assert dict(zip(log.contact_id, log.is_contact)) == {"1": True, "2": False, "3": False, "9": True}
    assert log.minutes.min() == 0


def test_a_program_without_a_log_is_seen_through_its_unit_claims(marked, table, kept):
    contacts = kept(clean_contacts(marked(LOG), table(CLAIMS, Claims), SERVICES, TYPES), Contacts)
    claimed = contacts[contacts.source == "claim"]
    assert list(zip(claimed.contact_id, claimed.program, claimed.minutes)) == [("C1-1", "CSP", 60)]


def test_a_program_with_a_log_is_not_counted_from_claims_too(marked, table, kept):
    log = LOG + "    10 | A | CSP | 2022-02-01 | face | true | 30 | 2\n"
    contacts = kept(clean_contacts(marked(log), table(CLAIMS, Claims), SERVICES, TYPES), Contacts)
    assert set(contacts.source) == {"log"}


def test_time_for_no_one_client_is_time_all_the_same(marked, kept):
    time = kept(clean_worker_time(marked(LOG), TYPES), WorkerTime)
    assert sorted(time.log_id) == ["1", "2", "3", "4", "9"]
    assert time.set_index("log_id").minutes["4"] == 60


def test_the_logs_waterfall_names_every_entry_left_out(marked):
    entries = marked(LOG)
    persons = read_counts(count_persons(entries, LOG_RULES))
    steps = build_waterfall(read_counts(count_log(entries)), persons, LOG_RULES).set_index("rule_id")
    left = (steps.rows_in - steps.rows_out).to_dict()
    assert left == {"A0.2": 0, "A3.1": 1, "A2.3": 1, "A1.1": 0, "A9.1": 1, "A9.5": 1, "A9.6": 1}
    assert (steps.rows_out.iloc[-1], steps.persons_in.iloc[0], steps.persons_out.iloc[-1]) == (5, 3, 2)


def test_no_log_and_no_claims_give_an_empty_table(marked, table, kept):
    contacts = kept(clean_contacts(marked("log_id"), table("claim_id", Claims), SERVICES, TYPES), Contacts)
    assert isinstance(contacts, pd.DataFrame)
    assert contacts.empty
