"""What care will cost a plan, and what a case of engagement costs a provider."""
