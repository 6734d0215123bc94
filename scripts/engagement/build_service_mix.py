"""Navigators' log to what their time went into and what it earns."""

from ratebook.contracts.clean import Claims, WorkerTime
from ratebook.contracts.engagement import ServiceMix
from ratebook.contracts.navigation import ServiceSummary, WorkerTotals
from ratebook.engagement.service_mix import build_service_mix, payment_prices
from ratebook.engagement.worker_totals import build_worker_totals, estimate_service_summary
from ratebook.steps import step
from ratebook.tables import open_table, read_codes, read_table, write_table


def main(snakemake):
    worker_time = open_table(snakemake.input.worker_time, WorkerTime)
    claims = open_table(snakemake.input.claims, Claims)
    prices = payment_prices(claims, read_codes(snakemake.input.services))
    out, params = snakemake.output, snakemake.params
    write_table(build_service_mix(worker_time, prices), out.service_mix, ServiceMix)
    write_table(build_worker_totals(worker_time, prices), out.worker_totals, WorkerTotals)
    totals = read_table(out.worker_totals, WorkerTotals)
    summary = estimate_service_summary(totals, params.boot_reps, params.seed)
    write_table(summary, out.service_summary, ServiceSummary)


if __name__ == "__main__":
    step(main, snakemake)
