"""How words sound, and how far apart two of them are: for requests in which a word was misheard.

Words are spelled in the alphabet of the bundled voice (misaki's, one letter a sound). The distance of two
spellings is an edit distance in which sounds that are easily taken for each other cost less.
"""

from functools import cache, lru_cache
from typing import Any

_VOWELS = frozenset("aeiouæɑɒɔəɚɛɜɐɪʊʌAIOQWYᵊᵻ")
_ALIKE = (
    "pb td tT dT kɡ fv fθ tθ sθ dð vð vb sz ʃʒ sʃ ʧʤ ʧʃ tʧ dʤ mn nŋ ɹw ɹl lw iɪ ɛæ ɛɪ əɪ əʌ əɐ ʌɐ əᵊ əɛ əᵻ "
    "ɪᵻ uʊ ɔɑ ɔO ɑʌ Aɛ Ai Aæ Iɑ Wɑ Wæ OU ɜə ɪA æɑ oO ʊO YI"
).split()
_CONSONANTS = ("pb", "tdTθð", "kɡ", "fv", "sz", "ʃʒʧʤ", "m", "nŋ", "ɹ", "l", "w", "h")
_BIT = {sound: 1 << number for number, group in enumerate(_CONSONANTS) for sound in group}
_NEAR = frozenset((pair[0], pair[1]) for pair in _ALIKE) | frozenset((pair[1], pair[0]) for pair in _ALIKE)
_PLOSIVES = frozenset("pbtdkɡTʔ")
_WEAK = frozenset("həᵊɐᵻɹɪʔj")
_NEAR_COST, _VOWEL_COST, _PLOSIVE_COST, _OTHER_COST = 0.3, 0.5, 0.6, 1.0
_WEAK_GAP, _GAP = 0.4, 0.8


@cache
def _speller() -> Any:
    from hibari.g2p import G2P

    return G2P(british=False)


@lru_cache(maxsize=8_192)
def sound_of(words: str) -> str:
    """The sounds of ``words`` without stress and without spaces; 0.1 ms a word, at first 0.3 s."""
    spelled = _speller()(words)
    return "".join(c for c in spelled if c.isalpha() and c not in "ˈˌː")


def frame_of(sounds: str) -> int:
    """Which kinds of consonants there are, a bit each."""
    frame = 0
    for sound in sounds:
        frame |= _BIT.get(sound, 0)
    return frame


def framed_alike(one: int, other: int, sounds: int) -> bool:
    """Whether words of so many sounds with these frames may be close; quick, and wrong for few that are."""
    most = 1 if sounds <= 6 else 2
    return (one & ~other).bit_count() <= most and (other & ~one).bit_count() <= most


def substitution(a: str, b: str) -> float:
    """What it costs to take sound ``a`` for ``b``: 0 for the same, 1 where nothing is alike."""
    if a == b:
        return 0.0
    if (a, b) in _NEAR:
        return _NEAR_COST
    vowels = (a in _VOWELS) + (b in _VOWELS)
    if vowels == 2:
        return _VOWEL_COST
    if a in _PLOSIVES and b in _PLOSIVES:
        return _PLOSIVE_COST
    return _OTHER_COST + 0.2 * (vowels == 1)


def distance(one: str, other: str, most: float) -> float:
    """The cost of making spelling ``one`` of ``other``; infinite as soon as it must be above ``most``."""
    if abs(len(one) - len(other)) * _WEAK_GAP > most:
        return float("inf")
    row = [0.0]
    for sound in other:
        row.append(row[-1] + (_WEAK_GAP if sound in _WEAK else _GAP))
    for a in one:
        gap = _WEAK_GAP if a in _WEAK else _GAP
        above, row = row, [row[0] + gap]
        for k, b in enumerate(other):
            cost = above[k] + _substitutions(a, b)
            cost = min(cost, above[k + 1] + gap, row[k] + (_WEAK_GAP if b in _WEAK else _GAP))
            row.append(cost)
        if min(row) > most:
            return float("inf")
    return row[-1] if row[-1] <= most else float("inf")


_substitutions = cache(substitution)
