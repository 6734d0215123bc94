"""The parts of the simulated program by themselves: admissions, contacts, batches, spans, blocks and cells."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from ratebook.simulate.behavioural import count_admissions
from ratebook.simulate.block import NULL, block, by_claim, day, expand, month_number, month_start, monthly, stack
from ratebook.simulate.build import plan_batches
from ratebook.simulate.detox import Admissions, draw_admissions
from ratebook.simulate.navigator import Engagements, draw_contacts, index_episodes
from ratebook.simulate.people import draw_people
from ratebook.simulate.setup import read_setup
from ratebook.simulate.write import decimals, texts
from simulate_data import CONFIG, STUDY, small


def test_detoxification_comes_back_as_the_literature_says():
    """57.7% of detox users had two or more admissions in a year and made 87% of them: methods.md B5, within 5%."""
    setup = read_setup(STUDY, CONFIG["simulate"])
    rng = np.random.default_rng(5)
    people = draw_people(rng, setup, np.arange(30_000))
    found = count_admissions(setup, draw_admissions(rng, setup, people))
    share = found["detox", "repeaters"] / found["detox", "users"]
    of_admissions = found["detox", "repeaters_admissions"] / found["detox", "admissions"]
    assert share == pytest.approx(0.577, rel=0.05)
    assert of_admissions == pytest.approx(0.87, rel=0.05)
    assert found["detox", "repeaters_admissions"] / found["detox", "repeaters"] == pytest.approx(4.906, rel=0.05)


def admissions_on(*days: str, person: int = 0) -> Admissions:
    admit = np.array([day(text) for text in days])
    n = len(admit)
    zeros = np.zeros(n, np.int64)
    return Admissions(np.full(n, person), admit, admit + 4, zeros, zeros, zeros, np.zeros(n, bool))


@pytest.mark.parametrize(
    ("second", "counted"),
    [
        pytest.param("2016-03-01", 2, id="366 days of a leap year minus one: 365 days still count"),
        pytest.param("2016-03-02", 1, id="366 days back is too long ago"),
    ],
)
def test_admissions_of_the_last_365_days_count(second, counted):
    setup = read_setup(STUDY, CONFIG["simulate"])
    people = draw_people(np.random.default_rng(1), setup, np.arange(1)).always_covered(setup.start)
    n12, is_index = index_episodes(people, admissions_on("2015-03-02", second))
    assert n12.tolist() == [1, counted]
    assert is_index.tolist() == [False, counted == 2]


def test_contacts_begin_and_end_with_the_engagement_and_stop_where_it_is_cut():
    setup = read_setup(STUDY, CONFIG["simulate"])
    first = np.array([100, 100, 100])
    found = Engagements(
        *(np.zeros(3, np.int64) for _ in range(4)),
        first=first,
        latent_days=np.array([0, 91, 91]),
        stop=np.array([10**6, 10**6, 130]),
        is_index=np.ones(3, bool),
        is_second=np.zeros(3, bool),
    )
    contacts = draw_contacts(np.random.default_rng(3), setup, found)
    last = [contacts["day"][contacts["engagement"] == k].max() for k in range(3)]
    assert last[:2] == [100, 191]
    assert last[2] < 130
    assert all(contacts["day"][contacts["engagement"] == k].min() == 100 for k in range(3))


def test_batches_cover_every_member_once():
    batches = [
        b for b in plan_batches(small(behavioural_members=301, members_per_batch=100)) if b.population == "behavioural"
    ]
    assert [b.members for b in batches] == [100, 100, 100, 1]
    assert [b.first for b in batches] == [0, 100, 200, 300]


def test_spans_are_cut_at_month_ends():
    source, first, last = monthly(np.array([day("2016-01-30"), day("2016-05-02")]), np.array([day("2016-03-01"), 0]))
    assert source.tolist() == [0, 0, 0]
    assert first.tolist() == [day("2016-01-30"), day("2016-02-01"), day("2016-03-01")]
    assert last.tolist() == [day("2016-01-31"), day("2016-02-29"), day("2016-03-01")]
    assert month_start(month_number(np.array([day("2016-02-29")]))).tolist() == [day("2016-02-01")]


def test_stacked_blocks_share_no_claim_and_sums_stay():
    one = block(3, claim=np.array([0, 0, 1]), paid=np.array([5, 6, 7]))
    both = stack([one, one])
    assert both["claim"].tolist() == [0, 0, 1, 2, 2, 3]
    assert by_claim(both, both["paid"]).tolist() == [11, 7, 11, 7]
    assert expand(np.array([2, 0, 1]))[0].tolist() == [0, 0, 2]


def test_cents_become_decimals_exactly_and_missing_words_become_null():
    money = decimals(np.array([-1, 10**11, NULL]), pa.decimal128(14, 2)).to_pylist()
    assert [str(value) for value in money] == ["-0.01", "1000000000.00", "None"]
    assert texts(np.array([1, -1, 0]), ("b", "a")).to_pylist() == ["a", None, "b"]


def test_an_admission_outside_coverage_is_no_index_and_does_not_count():
    setup = read_setup(STUDY, CONFIG["simulate"])
    people = draw_people(np.random.default_rng(1), setup, np.arange(1)).always_covered(day("2015-06-01"))
    admissions = admissions_on("2015-03-02", "2016-08-01", "2016-09-01")
    n12, is_index = index_episodes(people, admissions)
    assert n12.tolist() == [0, 1, 2] and is_index.tolist() == [False, False, True]
