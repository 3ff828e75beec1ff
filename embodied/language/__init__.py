"""From sentences to programs: language models, translators, and the checks between them."""
