"""Tables of cost to figures."""

from ratebook.contracts.cost import BreakEven, CostByCategory, CostCurve, Decomposition, PaymentForms, Pmpm
from ratebook.cost.figures import plot_break_even, plot_categories, plot_curve, plot_decomposition, plot_pmpm
from ratebook.figures import save_figure
from ratebook.steps import step
from ratebook.tables import read_table


def main(snakemake):
    pmpm = read_table(snakemake.input.pmpm, Pmpm)
    forms = read_table(snakemake.input.payment_forms, PaymentForms)
    break_even = read_table(snakemake.input.break_even, BreakEven)
    figures = {
        "pmpm_variants": plot_pmpm(pmpm, snakemake.params.mm_rule),
        "cumulative_cost": plot_curve(read_table(snakemake.input.cost_curve, CostCurve)),
        "cost_by_category": plot_categories(read_table(snakemake.input.cost_by_category, CostByCategory)),
        "decomposition": plot_decomposition(read_table(snakemake.input.decomposition, Decomposition)),
        "break_even": plot_break_even(forms, break_even),
    }
    for name, figure in figures.items():
        svg, png = getattr(snakemake.output, f"{name}_svg"), getattr(snakemake.output, f"{name}_png")
        save_figure(figure, svg, png, snakemake.params.note)


if __name__ == "__main__":
    step(main, snakemake)
