"""For those who test a driver or the supervisor: contract, faults, fuzz."""
