"""From raw tables to final action: rules mark rows, nothing is dropped silently, and every dollar is followed."""
