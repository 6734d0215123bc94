"""The headlines under every other choice."""

from ratebook.contracts.cost import Pmpm, TotalCost
from ratebook.contracts.engagement import Engagement
from ratebook.contracts.episodes import Cohort, SpellsByGap
from ratebook.contracts.review import Sensitivity
from ratebook.review.sensitivity import estimate_sensitivity
from ratebook.steps import step
from ratebook.tables import read_table, write_table


def main(snakemake):
    source, params = snakemake.input, snakemake.params
    sensitivity = estimate_sensitivity(
        read_table(source.cohort, Cohort),
        read_table(source.spells_by_gap, SpellsByGap),
        read_table(source.engagement, Engagement),
        read_table(source.pmpm, Pmpm),
        read_table(source.total_cost, TotalCost),
        spell_gap_days=params.spell_gap_days,
        end_reasons=params.end_reasons,
        boot_reps=params.boot_reps,
        seed=params.seed,
    )
    write_table(sensitivity, snakemake.output.sensitivity, Sensitivity)


if __name__ == "__main__":
    step(main, snakemake)
