"""For those who test a driver, the filter or the supervisor: contract, faults, an arm at rest."""
