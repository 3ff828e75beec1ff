"""Words, numbers and names: what every rule-based translator reads sentences with."""
