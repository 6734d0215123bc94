"""Survival of engagement and what was delivered to flat payments for a client."""

from ratebook.contracts.caseload import EngagedMonths, Staffing
from ratebook.contracts.clean import Claims, Contacts, WorkerTime
from ratebook.contracts.engagement import SurvivalByMonth
from ratebook.contracts.episodes import Cohort, Spells
from ratebook.contracts.rates import CaseRates, ProviderRisk
from ratebook.rates import case_rates
from ratebook.rates.assumptions import list_assumptions
from ratebook.steps import step
from ratebook.tables import open_table, read_table, write_table


def main(snakemake):
    source, output, settings = snakemake.input, snakemake.output, snakemake.params.settings
    list_assumptions(settings, snakemake.params.data_note, "rates.case_rate")
    cohort, spells = open_table(source.cohort, Cohort), open_table(source.spells, Spells)
    contacts, claims = open_table(source.contacts, Contacts), open_table(source.claims, Claims)
    months = case_rates.build_engaged_months(cohort, spells, contacts, claims, settings["horizon_months"])
    write_table(months, output.engaged_months, EngagedMonths)
    write_table(case_rates.build_staffing(open_table(source.worker_time, WorkerTime)), output.staffing, Staffing)
    # What the engine has reduced to clients and months is read back from the table just written.
    engaged = read_table(output.engaged_months, EngagedMonths)
    survival = read_table(source.survival, SurvivalByMonth)
    rates = case_rates.derive_case_rates(engaged, survival, settings, snakemake.params.seed)
    risk = case_rates.derive_provider_risk(engaged, rates, settings, snakemake.params.seed)
    write_table(rates, output.case_rates, CaseRates)
    write_table(risk, output.provider_risk, ProviderRisk)


if __name__ == "__main__":
    step(main, snakemake)
