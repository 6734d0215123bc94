"""Figures of completion, trend, the rate build-up, case rates and risk sharing."""

from ratebook.contracts import case_rates, rate_uncertainty, risk_sharing
from ratebook.contracts import rates as contracts
from ratebook.rates.figures import plot_rates
from ratebook.steps import step
from ratebook.tables import read_table


def main(snakemake):
    names = {
        "triangles": contracts.Triangles,
        "completion": contracts.Completion,
        "experience": contracts.BaseExperience,
        "ultimates": contracts.Ultimates,
        "trend": contracts.Trend,
        "rate_build": contracts.RateBuild,
        "rates": contracts.Rates,
        "pooling": risk_sharing.Pooling,
        "case_rates": case_rates.CaseRates,
        "staffing_build": case_rates.StaffingBuild,
        "provider_risk": case_rates.ProviderRisk,
        "panel_loss": case_rates.PanelLoss,
        "corridor": contracts.Corridor,
        "diagonals": rate_uncertainty.CompletionDiagonals,
        "uncertainty": rate_uncertainty.RateUncertainty,
        "tornado": rate_uncertainty.RateTornado,
    }
    tables = {name: read_table(snakemake.input[name], contract) for name, contract in names.items()}
    plot_rates(tables, snakemake.output, snakemake.params.data_note, snakemake.params.suppress_below)


if __name__ == "__main__":
    step(main, snakemake)
