"""The headlines under every other choice."""

from ratebook.contracts.cost import Pmpm, TotalCost
from ratebook.contracts.engagement import Engagement
from ratebook.contracts.review import Sensitivity
from ratebook.contracts.robustness import EngagementSensitivity
from ratebook.review.sensitivity import estimate_sensitivity
from ratebook.steps import step
from ratebook.tables import read_table, write_table


def main(snakemake):
    source = snakemake.input
    sensitivity = estimate_sensitivity(
        read_table(source.engagement, Engagement),
        read_table(source.engagement_sensitivity, EngagementSensitivity),
        read_table(source.pmpm, Pmpm),
        read_table(source.total_cost, TotalCost),
    )
    write_table(sensitivity, snakemake.output.sensitivity, Sensitivity)


if __name__ == "__main__":
    step(main, snakemake)
