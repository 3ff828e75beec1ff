"""The language of a sentence that is not English: by its script or its function words."""

from __future__ import annotations

import re
import unicodedata

_SCRIPTS = {
    "CJK": "Chinese",
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "HANGUL": "Korean",
    "CYRILLIC": "Russian or another language in Cyrillic script",
    "ARABIC": "Arabic",
    "HEBREW": "Hebrew",
    "GREEK": "Greek",
    "DEVANAGARI": "Hindi",
    "THAI": "Thai",
}

_FUNCTION_WORDS = {
    "German": "setz setze dich hin lauf laufe vorne hinten steh stehe auf heb hebe mach "
    "mache komm rot rote roten blau blaue grün grüne gelb gelbe tisch kiste der "
    "die das den dem des ein eine einen einem einer und oder aus bei mit nach "
    "von zu zum zur im ist sind nicht bitte dann alle alles ich du wir sie es "
    "leg lege stell stelle nimm öffne schließe schliesse räum geh gehe dreh "
    "drehe unter über neben hinter links rechts vorwärts rückwärts geradeaus "
    "meter",
    "Spanish": "el la los las un una unos unas y o en de del al por para con sin sobre es "
    "son no favor luego todo todos todas pon poner coloca mueve abre cierra "
    "guarda toma coge que camina hacia adelante atrás izquierda derecha gira "
    "anda",
    "French": "le la les un une des et ou dans sur sous avec sans de du au aux est sont "
    "ne pas puis tout tous toutes mets mettre pose place ouvre ferme prends "
    "range il elle que gauche droite avance recule tourne vers",
    "Italian": "il lo la gli le un una uno e o in su sul sulla nel nella di del della con "
    "senza per è sono non poi tutto tutti tutte metti apri chiudi prendi sposta "
    "che",
    "Portuguese": "o a os as um uma e ou em no na nos nas de do da dos das com sem para por é "
    "são não depois tudo todos todas coloque ponha abra feche pegue mova que",
    "Dutch": "de het een en of op in uit met naar van bij is zijn niet dan alle alles "
    "leg zet pak doe sluit ik jij wij onder boven naast achter",
}
_LETTERS = {
    "German": "äöüß",
    "Spanish": "áéíóúñ¿¡",
    "French": "àâçèêëîïôûœ",
    "Portuguese": "ãõ",
    "Italian": "ìòù",
}
"""Letters that English has not and the language has."""

_BY_LANGUAGE = {n: frozenset(w.split()) for n, w in _FUNCTION_WORDS.items()}
_ENGLISH = frozenset(
    "the a an and or of in on onto into to from with at by for is are was be it its this that "
    "these those all every no not do please then put move place take open close pick i you we my "
    "your what where if there them up down off out one as so than like can could would will he "
    "she him her his they their those some any which who how when have has had been were am about "
    "over under between next back again just right left very too more".split()
)
_WORD = re.compile(r"[^\W\d_]+")


def foreign_language(sentence: str) -> str:
    """The name of a language other than English that a sentence is in, or ``""``.

    A sentence is foreign when most of its letters are of another script, or when it has two or
    more different function words of another language, more than of English; one will do beside a
    letter that English has not.
    """
    letters = [c for c in sentence if c.isalpha()]
    scripts = [unicodedata.name(c, "").split()[0] for c in letters if not c.isascii()]
    other = [_SCRIPTS[s] for s in scripts if s in _SCRIPTS]
    if other and 2 * len(other) > len(letters):
        return other[0]
    words = set(_WORD.findall(sentence.lower()))
    english = len(words & _ENGLISH)
    counts = {
        n: len(words & own) + bool(set(_LETTERS.get(n, "")) & set(sentence.lower()))
        for n, own in _BY_LANGUAGE.items()
    }
    name = max(counts, key=lambda n: counts[n])
    needed = 1 if scripts and not english else 2
    return name if counts[name] >= needed and counts[name] > english else ""
