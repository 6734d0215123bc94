"""Claims, member months and the ledger to base experience and triangles."""

from ratebook.contracts.clean import CATEGORIES, CashLedger, Claims
from ratebook.contracts.exposure import MemberMonths
from ratebook.contracts.rate_uncertainty import CellGroups, GroupMonths, ServiceMonths
from ratebook.contracts.rates import BaseExclusions, BaseExperience, CellMoments, Triangles
from ratebook.contracts.risk_sharing import MemberYearExcess
from ratebook.rates import base, uncertainty
from ratebook.rates.pooling import build_excess
from ratebook.rates.trend import build_service_months
from ratebook.steps import step
from ratebook.tables import open_table, write_table


def main(snakemake):
    params, settings, output = snakemake.params, snakemake.params.settings, snakemake.output
    category_of = base.map_categories(settings["category_groups"], CATEGORIES)
    months = open_table(snakemake.input.member_months, MemberMonths)
    claims = open_table(snakemake.input.claims, Claims)
    ledger = open_table(snakemake.input.ledger, CashLedger)
    members = base.place_members(months, settings, params.mm_rule, params.exclude_retro_from_base)
    lines = base.place_claims(claims, members, category_of, settings)
    last_paid = base.last_complete_month(params.extract_date)
    write_table(base.build_experience(members, lines, settings, params.window), output.experience, BaseExperience)
    write_table(base.build_moments(members, lines), output.moments, CellMoments)
    write_table(base.build_exclusions(members, lines, settings), output.exclusions, BaseExclusions)
    write_table(base.build_triangles(ledger, category_of, params.window, last_paid), output.triangles, Triangles)
    categories = list(settings["category_groups"])
    write_table(build_service_months(lines), output.service_months, ServiceMonths)
    write_table(uncertainty.build_cell_groups(members, lines, categories), output.cell_groups, CellGroups)
    group_months = uncertainty.build_group_months(members, lines, categories, params.window)
    write_table(group_months, output.group_months, GroupMonths)
    excess = build_excess(
        members, lines, settings["base_start"], **{k: v["value"] for k, v in settings["pooling"].items()}
    )
    write_table(excess, output.excess, MemberYearExcess)


if __name__ == "__main__":
    step(main, snakemake)
