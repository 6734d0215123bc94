"""Comparison groups and members' years to all programs side by side on the same people."""

from ratebook.contracts.designs import (
    BuyIn,
    MixSensitivity,
    PlanRisk,
    ProgramComparison,
    ProgramIncentives,
    RateOrders,
    RateScales,
)
from ratebook.contracts.programs import ComparisonGroups, MemberYears
from ratebook.programs.benefits import derive_buy_in
from ratebook.programs.comparison import compare_programs, price_designs
from ratebook.programs.definitions import read_programs
from ratebook.programs.incentives import derive_incentives, derive_mix_sensitivity
from ratebook.programs.orders import derive_rate_orders, derive_rate_scales
from ratebook.programs.risk import Margins, estimate_plan_risk, rates_by_cell, sum_margins
from ratebook.steps import step
from ratebook.tables import open_table, read_counts, read_table, write_table


def main(snakemake):
    files, to, p = snakemake.input, snakemake.output, snakemake.params
    programs = read_programs(files.programs, files.schema, files.scope, **p.data)
    designs = price_designs(read_table(files.groups, ComparisonGroups), programs, **p.price)
    years = open_table(files.years, MemberYears)
    margins = Margins(read_counts(sum_margins(years, rates_by_cell(designs))), p.price["replicates"])
    write_table(compare_programs(designs, p.avoided_share), to.comparison, ProgramComparison)
    write_table(estimate_plan_risk(designs, margins, p.avoided_share, **p.risk), to.risk, PlanRisk)
    write_table(derive_incentives(designs, margins), to.incentives, ProgramIncentives)
    write_table(derive_mix_sensitivity(designs), to.mix, MixSensitivity)
    write_table(derive_buy_in(designs), to.buy_in, BuyIn)
    write_table(derive_rate_scales(designs), to.scales, RateScales)
    write_table(derive_rate_orders(designs), to.orders, RateOrders)


if __name__ == "__main__":
    step(main, snakemake)
