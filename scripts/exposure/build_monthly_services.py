"""Claims, member months and paid lags to the monthly exhibit of quality."""

from ratebook.contracts.clean import Claims, PaidLags
from ratebook.contracts.exposure import MemberMonths, MonthlyServices
from ratebook.exposure.checks import count_months
from ratebook.exposure.services import build_monthly_services, tally_services
from ratebook.steps import step
from ratebook.tables import open_table, read_counts, read_table, write_table


def main(snakemake):
    files, p = snakemake.input, snakemake.params
    services = read_counts(tally_services(open_table(files.claims, Claims)))
    months = read_counts(count_months(open_table(files.member_months, MemberMonths), p.mm_rule))
    lags = read_table(files.paid_lags, PaidLags)
    exhibit = build_monthly_services(services, months, lags, p.window_start, p.extract_date, p.reportable_completion)
    write_table(exhibit, snakemake.output.monthly_services, MonthlyServices)


if __name__ == "__main__":
    step(main, snakemake)
