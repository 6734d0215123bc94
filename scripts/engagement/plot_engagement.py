"""The stage's tables to its figures."""

from ratebook.contracts.engagement import (
    Balance,
    Clocks,
    CumulativeIncidence,
    Engagement,
    Propensity,
    RmstByDay,
    ServiceMix,
    Survival,
)
from ratebook.contracts.navigation import ServiceSummary
from ratebook.contracts.robustness import EngagementSensitivity
from ratebook.contracts.trial import TrialWeights
from ratebook.engagement.plots import plot_engagement
from ratebook.figures import save_figure
from ratebook.steps import step
from ratebook.tables import read_table

TABLES = {
    "survival": Survival,
    "rmst_by_day": RmstByDay,
    "engagement": Engagement,
    "cumulative_incidence": CumulativeIncidence,
    "balance": Balance,
    "service_mix": ServiceMix,
    "service_summary": ServiceSummary,
    "clocks": Clocks,
    "trial": Engagement,
    "trial_weights": TrialWeights,
    "propensity": Propensity,
    "engagement_sensitivity": EngagementSensitivity,
}


def main(snakemake):
    tables = {name: read_table(snakemake.input[name], contract) for name, contract in TABLES.items()}
    figures = plot_engagement(tables, snakemake.params.suppress_below)
    for name, figure in figures.items():
        save_figure(
            figure, snakemake.output[f"{name}_svg"], snakemake.output[f"{name}_png"], snakemake.params.data_note
        )


if __name__ == "__main__":
    step(main, snakemake)
