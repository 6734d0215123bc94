"""Enrolment, monthly services and the match of services with coverage to figures."""

from ratebook.contracts.exposure import EligibilityMatch, Enrolment, MonthlyServices
from ratebook.exposure import plots
from ratebook.figures import save_figure
from ratebook.steps import step
from ratebook.tables import read_table


def main(snakemake):
    files, out, p = snakemake.input, snakemake.output, snakemake.params
    enrolment = read_table(files.enrolment, Enrolment)
    services = read_table(files.monthly_services, MonthlyServices)
    match = read_table(files.eligibility_match, EligibilityMatch)
    months = plots.plot_exposure(enrolment, p.window_start, p.window_end, p.suppress_below)
    save_figure(months, out.svg, out.png, p.data_note)
    claims = plots.plot_monthly_claims(services, p.window_end, p.reportable_completion, p.suppress_below)
    save_figure(claims, out.claims_svg, out.claims_png, p.data_note)
    pmpm = plots.plot_monthly_pmpm(services, p.window_end, p.reportable_completion, p.suppress_below)
    save_figure(pmpm, out.pmpm_svg, out.pmpm_png, p.data_note)
    save_figure(plots.plot_eligibility_match(match, p.suppress_below), out.match_svg, out.match_png, p.data_note)


if __name__ == "__main__":
    step(main, snakemake)
