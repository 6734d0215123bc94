"""The stage of programs run on files, and on data without long-term care: every table and figure stands and says why."""

from __future__ import annotations

import importlib.util
from types import SimpleNamespace

import pandas as pd
import pyarrow.parquet as pq
import pytest

from conftest import ROOT
from ltc_world import SETTINGS, months_of_a_path
from ratebook.contracts.programs import LtcMemberMonths, ProgramRates
from ratebook.figures import empty_figure
from ratebook.programs import design_figures
from ratebook.programs import figures as program_figures
from ratebook.tables import empty_frame, write_table

FILES = {
    "programs": [ROOT / path for path in SETTINGS["files"]],
    "schema": ROOT / "workflow/schemas/program.schema.yaml",
    "scope": ROOT / "workflow/programs/benefit_scope.csv",
}
PARAMS = {"data": {"settings": SETTINGS, "areas": {}}, "price": {"year_days": 365, "replicates": 2}}
REDUCE = {"common": SETTINGS["common_population"], "counter": "cumulative", "replicates": 2, "keeps_retro": False}
RISK = {"margin_share": 0.02, "plan_sizes": [500, 50_000]}
DERIVED = ("groups", "years", "days", "capped_benefits", "rates", "published", "notes")
COMPARED = ("comparison", "risk", "incentives", "mix", "buy_in", "scales", "orders")
DRAWN = ("rates", "comparison", "days", "risk", "incentives", "mix", "scales")


def run_stage(folder) -> None:
    """Run every door of the stage but the first on `months.parquet` of a folder."""

    def run(name, inputs, outputs, **params):
        spec = importlib.util.spec_from_file_location(name, ROOT / f"scripts/programs/{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        named = {key: folder / f"{key}.parquet" for key in inputs}
        made = {key: folder / (key if "." in key else f"{key}.parquet") for key in outputs}
        made |= {key.replace(".", "_"): path for key, path in made.items()}
        module.main(
            SimpleNamespace(
                input=SimpleNamespace(**FILES, **named),
                output=SimpleNamespace(**made),
                params=SimpleNamespace(**PARAMS, **params),
            )
        )

    run("derive_program_rates", ["months"], DERIVED, reduce=REDUCE, full_months=36_000)
    run("price_liability", ["groups"], ["liability"])
    run("estimate_reconciliation", ["groups"], ["reconciliation"])
    run("compare_programs", ["groups", "years"], COMPARED, avoided_share=0.1, risk=RISK)
    figures = [f"{name}.{kind}" for name in DRAWN for kind in ("svg", "png")]
    run("plot_programs", DRAWN, figures, suppress_below=1, data_note="drawn")


@pytest.fixture(scope="module")
def nobody(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nobody")
    write_table(empty_frame(LtcMemberMonths), folder / "months.parquet", LtcMemberMonths)
    run_stage(folder)
    return folder


def test_the_stage_runs_on_files(table, tmp_path):
    write_table(months_of_a_path(table), tmp_path / "months.parquet", LtcMemberMonths)
    run_stage(tmp_path)
    rates = pd.read_parquet(tmp_path / "rates.parquet")
    designs = pd.read_parquet(tmp_path / "comparison.parquet")
    assert rates.rate_usd.notna().sum() > 20
    assert designs.groupby("scenario").size().to_dict() == {"as_is": 27, "response": 27}
    assert len(pd.read_parquet(tmp_path / "risk.parquet")) == 27 * 3 * 2
    assert len(pd.read_parquet(tmp_path / "incentives.parquet")) == 27 * 5
    assert len(pd.read_parquet(tmp_path / "notes.parquet")) == 9
    for name in DRAWN:
        assert (tmp_path / f"{name}.svg").stat().st_size > 2000
        assert (tmp_path / f"{name}.png").stat().st_size > 2000


@pytest.mark.parametrize("name", [*DERIVED[2:5], "liability", "reconciliation", *COMPARED])
def test_without_long_term_care_no_number_is_made_up(nobody, name):
    """Limits of the input: no person at all."""
    found = pq.read_table(nobody / f"{name}.parquet").to_pandas()
    if "lower" in found:
        assert found.lower.isna().all() and found.upper.isna().all()
    for column in ("rate_usd", "state_saving_pmpm_usd", "loss_probability", "break_even_share", "ratio_to_published"):
        if column in found:
            assert found[column].isna().all(), column
            assert found.reason.notna().all(), column
    if name in ("rates", "comparison", "scales", "orders"):
        assert len(found) >= 22, "the designs stand, and say that there is nobody"


def test_without_long_term_care_every_figure_says_why(nobody):
    for name in DRAWN:
        assert (nobody / f"{name}.png").exists()


def test_a_small_cell_is_not_drawn():
    rates = empty_frame(ProgramRates)
    rates.loc[0] = [None] * len(rates.columns)
    rates = rates.assign(rate_usd=100.0, persons=10, cell="small", program="p", state="s", area="all", era="all")
    assert "No program" in program_figures.plot_program_rates(rates, 11).axes[0].texts[0].get_text()
    assert empty_figure(design_figures.NO_BLEND).axes[0].texts[0].get_text() == design_figures.NO_BLEND
