"""Value-map programs by rules: deterministic, exact, silent outside their grammar."""

from embodied.language.value_map.rules.translator import (
    RulesValueMapTranslator as RulesValueMapTranslator,
)
