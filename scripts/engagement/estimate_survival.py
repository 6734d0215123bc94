"""Cohort and spells to curves of engagement, and to how long each arm stays."""

from ratebook.contracts.engagement import Clocks, CumulativeIncidence, Engagement, RmstByDay, Survival, SurvivalByMonth
from ratebook.contracts.episodes import Cohort, Spells
from ratebook.engagement.estimate import estimate_survival
from ratebook.steps import step
from ratebook.tables import read_table, write_table


def main(snakemake):
    cohort = read_table(snakemake.input.cohort, Cohort)
    spells = read_table(snakemake.input.spells, Spells)
    found = estimate_survival(
        cohort,
        spells,
        end_reasons=snakemake.params.end_reasons,
        spell_gap_days=snakemake.params.spell_gap_days,
        horizons_days=snakemake.params.horizons_days,
        min_observed_share=snakemake.params.min_observed_share,
        survival_months=snakemake.params.survival_months,
        covariates=snakemake.params.covariates,
        boot_reps=snakemake.params.boot_reps,
        seed=snakemake.params.seed,
    )
    write_table(found.survival, snakemake.output.survival, Survival)
    write_table(found.rmst_by_day, snakemake.output.rmst_by_day, RmstByDay)
    write_table(found.survival_by_month, snakemake.output.survival_by_month, SurvivalByMonth)
    write_table(found.cumulative_incidence, snakemake.output.cumulative_incidence, CumulativeIncidence)
    write_table(found.clocks, snakemake.output.clocks, Clocks)
    write_table(found.engagement, snakemake.output.first_spells, Engagement)


if __name__ == "__main__":
    step(main, snakemake)
