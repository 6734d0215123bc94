"""Survival of engagement and what was delivered to flat payments for a client, their terms and their risk."""

from ratebook.contracts import case_rates as contracts
from ratebook.contracts.clean import Claims, Contacts, WorkerTime
from ratebook.contracts.engagement import SurvivalByMonth
from ratebook.contracts.episodes import Cohort, Spells
from ratebook.rates.assumptions import list_assumptions
from ratebook.rates.case_rates import derive_case_rates
from ratebook.rates.case_terms import derive_case_terms
from ratebook.rates.engaged_months import build_engaged_months, build_staffing
from ratebook.rates.expected import read_stays
from ratebook.rates.provider_risk import derive_panel_loss, derive_provider_risk
from ratebook.rates.staffing import derive_staffing_build
from ratebook.steps import step
from ratebook.tables import open_table, read_table, write_table


def main(snakemake):
    source, output, params = snakemake.input, snakemake.output, snakemake.params
    settings, seed = params.settings, params.seed
    list_assumptions(settings, params.data_note, "rates.case_rate")
    cohort, spells = open_table(source.cohort, Cohort), open_table(source.spells, Spells)
    contacts, claims = open_table(source.contacts, Contacts), open_table(source.claims, Claims)
    months = build_engaged_months(cohort, spells, contacts, claims, settings["horizon_months"])
    write_table(months, output.engaged_months, contracts.EngagedMonths)
    write_table(build_staffing(open_table(source.worker_time, WorkerTime)), output.staffing, contracts.Staffing)
    # What the engine has reduced to clients and months is read back from the tables just written.
    engaged = read_table(output.engaged_months, contracts.EngagedMonths)
    staffing = read_table(output.staffing, contracts.Staffing)
    survival = read_table(source.survival, SurvivalByMonth)
    arms = read_stays(engaged, survival, settings["horizon_months"], settings["resamples"], seed)
    rates = derive_case_rates(arms, staffing, settings)
    write_table(rates, output.case_rates, contracts.CaseRates)
    write_table(derive_staffing_build(arms, staffing, settings), output.staffing_build, contracts.StaffingBuild)
    write_table(derive_case_terms(arms, settings), output.case_terms, contracts.CaseTerms)
    write_table(derive_provider_risk(arms, rates), output.provider_risk, contracts.ProviderRisk)
    panels = derive_panel_loss(arms, rates, settings["panel_clients"], seed)
    write_table(panels, output.panel_loss, contracts.PanelLoss)


if __name__ == "__main__":
    step(main, snakemake)
