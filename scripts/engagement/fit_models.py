"""Cohort and spells to hazard and time ratios, tests and E-values."""

from ratebook.contracts.engagement import AftCheck, EngagementModels
from ratebook.contracts.episodes import Cohort, Spells
from ratebook.engagement.models import fit_models, overlay_families
from ratebook.steps import step
from ratebook.tables import read_table, write_table


def main(snakemake):
    params = snakemake.params
    cohort = read_table(snakemake.input.cohort, Cohort)
    spells = read_table(snakemake.input.spells, Spells)
    ends = {"end_reasons": params.end_reasons, "spell_gap_days": params.spell_gap_days}
    models = fit_models(
        cohort,
        spells,
        covariates=params.covariates,
        hazard_cuts_days=params.hazard_cuts_days,
        horizons_days=params.horizons_days,
        permutations=params.permutations,
        seed=params.seed,
        **ends,
    )
    overlay = overlay_families(cohort, spells, horizons_days=params.horizons_days, **ends)
    write_table(models, snakemake.output.engagement_models, EngagementModels)
    write_table(overlay, snakemake.output.aft_check, AftCheck)


if __name__ == "__main__":
    step(main, snakemake)
