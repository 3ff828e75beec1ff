"""Words, numbers, units and names: what every rule-based translator reads sentences with.

``lexer`` turns a sentence into words and pauses, ``cursor`` reads them one after the other and
abstains at the word where that fails. ``amounts`` has the tables of numbers and units, ``lexicon``
verbs, prepositions and polite phrases. ``scene_words`` says what the objects of a scene may be
called.
"""
