"""Cohort and spells to hazard ratios, tests and E-values."""

from ratebook.contracts.engagement import EngagementModels
from ratebook.contracts.episodes import Cohort, Spells
from ratebook.engagement.models import fit_models
from ratebook.steps import step
from ratebook.tables import read_table, write_table


def main(snakemake):
    models = fit_models(
        read_table(snakemake.input.cohort, Cohort),
        read_table(snakemake.input.spells, Spells),
        end_reasons=snakemake.params.end_reasons,
        spell_gap_days=snakemake.params.spell_gap_days,
        covariates=snakemake.params.covariates,
        hazard_cuts_days=snakemake.params.hazard_cuts_days,
        horizons_days=snakemake.params.horizons_days,
        permutations=snakemake.params.permutations,
        seed=snakemake.params.seed,
    )
    write_table(models, snakemake.output.engagement_models, EngagementModels)


if __name__ == "__main__":
    step(main, snakemake)
