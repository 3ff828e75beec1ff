"""What all suites share: the runner, reports, plots."""
