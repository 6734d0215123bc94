"""Cohort and spells under every gap rule to the headline difference under every other choice."""

from ratebook.contracts.episodes import Cohort, SpellsByGap
from ratebook.contracts.robustness import EngagementSensitivity
from ratebook.engagement.robustness import estimate_robustness
from ratebook.steps import step
from ratebook.tables import read_table, write_table


def main(snakemake):
    found = estimate_robustness(
        read_table(snakemake.input.cohort, Cohort),
        read_table(snakemake.input.spells_by_gap, SpellsByGap),
        spell_gap_days=snakemake.params.spell_gap_days,
        end_reasons=snakemake.params.end_reasons,
        horizons_days=snakemake.params.horizons_days,
        min_observed_share=snakemake.params.min_observed_share,
        boot_reps=snakemake.params.boot_reps,
        seed=snakemake.params.seed,
    )
    write_table(found, snakemake.output.engagement_sensitivity, EngagementSensitivity)


if __name__ == "__main__":
    step(main, snakemake)
