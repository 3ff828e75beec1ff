"""From sentences to programs: language models, translators, and the checks between them.

``words`` is what all rules read with and ``models`` whom translators may ask; ``pddl``, ``reward``
and ``value_map`` are the three kinds of program, each with its rules, its JSON and its translator.
``repair`` is the one loop in which what is wrong goes back to a model, ``records`` the one reader
and schema maker for programs' JSON, ``opening`` finds translators by name. ``offline`` and
``sandbox`` serve several of them.
"""
