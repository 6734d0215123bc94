"""The waterfall and the ledger's lags to figures."""

from ratebook.clean.plots import plot_monthly_paid, plot_paid_lag, plot_waterfall
from ratebook.contracts.clean import Attrition, PaidLags
from ratebook.figures import save_figure
from ratebook.steps import step
from ratebook.tables import read_table


def main(snakemake):
    attrition = read_table(snakemake.input.attrition, Attrition)
    lags = read_table(snakemake.input.paid_lags, PaidLags)
    out, p = snakemake.output, snakemake.params
    monthly = plot_monthly_paid(lags, p.window_start, p.window_end)
    save_figure(plot_waterfall(attrition), out.waterfall_svg, out.waterfall_png, p.data_note)
    save_figure(monthly, out.monthly_paid_svg, out.monthly_paid_png, p.data_note)
    save_figure(plot_paid_lag(lags, p.window_start, p.window_end), out.paid_lag_svg, out.paid_lag_png, p.data_note)


if __name__ == "__main__":
    step(main, snakemake)
