"""Figures of enrolment and of the cohort: they draw no small count, and say so where there is nothing to draw."""

from __future__ import annotations

import pandas as pd
import pytest

from ratebook.contracts.episodes import Cohort, CohortFlow, EpisodeLengths, Spells
from ratebook.contracts.exposure import Enrolment
from ratebook.contracts.spells import GapSensitivity
from ratebook.episodes.plots import plot_flow, plot_lengths
from ratebook.episodes.spell_plots import plot_gap_sensitivity, plot_swimmers
from ratebook.exposure.plots import plot_exposure
from ratebook.figures import save_figure
from ratebook.tables import empty_frame

LIMIT = 11


def words(fig) -> str:
    return " | ".join(text.get_text() for ax in fig.axes for text in ax.texts)


@pytest.mark.parametrize(
    ("left", "shown"),
    [
        pytest.param(90, "10 excluded", id="ten persons taken: hidden"),
        pytest.param(89, "11 excluded", id="eleven persons taken: shown"),
    ],
)
def test_the_flow_shows_no_small_step(left, shown):
    flow = pd.DataFrame(
        {
            "step": [1],
            "rule_id": ["a"],
            "description": ["Rule"],
            "days_ahead": [0],
            "persons_in": [100],
            "persons_out": [left],
        }
    )
    text = words(plot_flow(flow, LIMIT))
    assert (shown in text) == ("100" in text) == (100 - left >= LIMIT)


def drawn_flow(*left):
    rules = [f"Rule {n}" for n in range(1, len(left))]
    steps = {"step": range(1, len(left)), "rule_id": rules, "description": rules, "days_ahead": 0}
    return pd.DataFrame({**steps, "persons_in": left[:-1], "persons_out": left[1:]})


def test_a_hidden_step_is_drawn_with_the_next_and_rules_without_effect_are_named_together():
    text = words(plot_flow(drawn_flow(900, 500, 497, 440, 440, 440), LIMIT))
    assert "403 excluded; the rule: Rule 1 + Rule 2" in text.replace("\n", " ")
    assert "57 excluded; the rule: Rule 3" in text and "0 excluded; the rules: Rule 4" in text
    assert "500" not in text and "n = 497" in text and "Rule 5\nn = 440" in text


def test_the_flow_ends_in_the_arms_and_hides_a_small_one():
    reading = {"unit": "episode", "min_detox_12m": 2, "count_index": True, "index_rule": "first"}
    persons = {"RSN": 200, "CSP": 230, "none": 10, "all": 440}
    rows = [{**reading, "arm": arm, "persons": n, "discharges": n, "is_chosen": True} for arm, n in persons.items()]
    text = words(plot_flow(drawn_flow(900, 500, 440), LIMIT, pd.DataFrame(rows)))
    assert "first contact with CSP\nn = 230" in text
    assert "no contact in time\nnumber not shown" in text and "first contact with RSN\nnumber not shown" in text


def test_a_small_bar_is_not_drawn():
    lengths = pd.DataFrame(
        {"los_days": [3, 4, 5], "is_transfer": False, "episodes": [40, 50, 10], "persons": [40, 50, 10]}
    )
    heights = [bar.get_height() for bar in plot_lengths(lengths, LIMIT).axes[0].patches]
    assert heights[:3] == [40, 50, 0]


@pytest.mark.parametrize(("members", "lanes"), [(10, 0), (11, 1), (21, 1), (22, 2), (500, 20)])
def test_a_lane_of_the_swimmer_plot_is_never_a_person(members, lanes):
    people = [f"{n:03d}" for n in range(members)]
    day = pd.Timestamp("2024-01-01")
    cohort = pd.DataFrame({"person_id": people, "arm": "RSN", "discharge_date": day, "readmission_date": pd.NaT})
    spells = pd.DataFrame(
        {
            "person_id": people,
            "program": "RSN",
            "spell": 1,
            "first_date": day,
            "length_days": range(1, members + 1),
            "end_reason": "disengaged",
        }
    )
    assert len(plot_swimmers(cohort, spells, LIMIT).axes[0].patches) == lanes


def test_nothing_to_draw_is_said_in_words():
    figures = [
        plot_flow(empty_frame(CohortFlow), LIMIT),
        plot_lengths(empty_frame(EpisodeLengths), LIMIT),
        plot_swimmers(empty_frame(Cohort), empty_frame(Spells), LIMIT),
        plot_gap_sensitivity(empty_frame(GapSensitivity), 30, LIMIT),
        plot_exposure(empty_frame(Enrolment), "2024-01-01", "2024-12-31", LIMIT),
    ]
    assert all(len(words(fig)) > 20 for fig in figures)


def test_a_figure_is_the_same_bytes_on_every_run(tmp_path):
    months = pd.date_range("2024-01-01", periods=3, freq="MS")
    enrolment = pd.DataFrame(
        {"service_month": months, "plan": "X", "persons": [20, 5, 20], "member_months": [19.5, 5, 20]}
    )
    drawn = []
    for name in ("one", "two"):
        fig = plot_exposure(enrolment, "2024-01-01", "2024-12-31", LIMIT)
        assert pd.isna(fig.axes[0].lines[0].get_ydata()).tolist() == [False, True, False]
        save_figure(fig, tmp_path / f"{name}.svg", tmp_path / f"{name}.png", "synthetic data")
        drawn.append([(tmp_path / f"{name}.{kind}").read_bytes() for kind in ("svg", "png")])
    assert drawn[0] == drawn[1]
