"""Cohort and spells to the target trial: its protocol, estimates, flow, weights and the wait to first contact."""

from ratebook.contracts.engagement import Engagement
from ratebook.contracts.episodes import Cohort, CohortFlow, Spells
from ratebook.contracts.trial import FirstContactWait, Protocol, TrialFlow, TrialWeights
from ratebook.engagement.trial import estimate_trial
from ratebook.steps import step
from ratebook.tables import read_table, write_table


def main(snakemake):
    cohort = read_table(snakemake.input.cohort, Cohort)
    flow = read_table(snakemake.input.cohort_flow, CohortFlow)
    spells = read_table(snakemake.input.spells, Spells)
    found = estimate_trial(
        cohort,
        flow,
        spells,
        spell_gap_days=snakemake.params.spell_gap_days,
        assignment_days=snakemake.params.assignment_days,
        horizons_days=snakemake.params.horizons_days,
        landmark_days=snakemake.params.landmark_days,
        grace_days=snakemake.params.grace_days,
        covariates=snakemake.params.covariates,
        boot_reps=snakemake.params.boot_reps,
        seed=snakemake.params.seed,
    )
    write_table(found.protocol, snakemake.output.protocol, Protocol)
    write_table(found.trial, snakemake.output.trial, Engagement)
    write_table(found.trial_flow, snakemake.output.trial_flow, TrialFlow)
    write_table(found.trial_weights, snakemake.output.trial_weights, TrialWeights)
    write_table(found.first_contact_wait, snakemake.output.first_contact_wait, FirstContactWait)


if __name__ == "__main__":
    step(main, snakemake)
