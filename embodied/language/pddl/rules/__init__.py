"""A grammar-based translator: exact where it understands, and silent about nothing it does not."""

from embodied.language.pddl.rules.translator import RulesTranslator as RulesTranslator
