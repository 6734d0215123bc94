"""Navigators' log to what their time went into and what it earns."""

from ratebook.contracts.clean import Claims, WorkerTime
from ratebook.contracts.engagement import ServiceMix
from ratebook.engagement.service_mix import build_service_mix
from ratebook.steps import step
from ratebook.tables import open_table, read_codes, write_table


def main(snakemake):
    worker_time = open_table(snakemake.input.worker_time, WorkerTime)
    claims = open_table(snakemake.input.claims, Claims)
    services = read_codes(snakemake.input.services)
    write_table(build_service_mix(worker_time, claims, services), snakemake.output.service_mix, ServiceMix)


if __name__ == "__main__":
    step(main, snakemake)
