"""What can be counted and watched for, as people call it."""

import re

from engine.standing import ANY, COUNTED, CUES

# Also what the recogniser takes them for: "squads", "set-ups", "when I not".
_EXERCISES = (
    ("squat", r"(?:air |jump )?(?:squat|squad)s?"),
    ("push-up", r"(?:push(?:ing)?|press)[ -]?ups?"),
    ("jumping jack", r"(?:jumping|star)[ -]?jacks?|star[ -]?jumps?"),
    ("lunge", r"(?:forward |reverse |side )?(?:lunge|lounge)s?"),
    ("arm raise", r"(?:arm|shoulder|side|front|lateral)[ -](?:raise|lift)s?"),
    ("sit-up", r"(?:sit|set)[ -]?ups?"),
    ("biceps curl", r"(?:(?:biceps?|dumbbell|arm|hammer)[ -])?curls?"),
    ("high knees", r"high[ -]?knees?|knee[ -](?:raise|lift|up)s?"),
    (
        ANY,
        (
            r"reps?|repetitions?|exercises?|burpees?|pull[ -]?ups?|chin[ -]?ups?|crunch(?:es)?|dips"
            r"|dead ?lifts?|(?:leg|calf) raises?|kettlebell swings?|mountain climbers?|toe touche?s?"
        ),
    ),
)
EXERCISE = rf"(?:{'|'.join(pattern for _, pattern in _EXERCISES)})"
"""Matches an exercise, or repetitions of any; without groups."""

_IS = r"(?:(?:am|is|are|begin|begins|start|starts)(?: to)? )?"
_WHOSE = r"(?:my|your|his|her|their|a|an|the|1|1 of (?:my|his|her|their))"
_PLACE = r"(?:the|my|this|our|your) (?:room|picture|frame|view|office|kitchen|camera|image)"
_CUES = (
    ("wave", rf"{_IS}(?:wave|waves|waving|waved)(?: (?:my|a|his|her) hands?)?(?: (?:at|to) \w+(?: \w+)?)?"),
    (
        "raise hand",
        (rf"{_IS}(?:raise|raises|raising|lift|lifts|lifting|hold up|holds up|put up|puts up|putting up)"
        rf" {_WHOSE} (?:hand|arm)s?(?: up)?|puts? {_WHOSE} (?:hand|arm)s? up|have {_WHOSE} hand up"
        rf"|raised hand"),
    ),
    (
        "thumbs up",
        (rf"{_IS}(?:(?:give|gives|giving|show|shows|showing|do|does|make|makes|hold up|holds up)"
        r" (?:you |us |it )?(?:a |the |my )?)?thumbs?[ -]?up(?: sign)?|puts? (?:my|a|his|her) thumb up"),
    ),
    (
        "slouch",
        (rf"{_IS}(?:slouch|slouches|slouching|slump|slumps|slumping|hunch|hunches|hunching|hunched)(?: over"
        rf"| up| down)?"
        rf"|{_IS}(?:sit|sits|sitting) (?:badly|crooked|crookedly|bent over|hunched over)"
        rf"|have (?:a )?bad posture"),
    ),
    ("nod", rf"not|{_IS}(?:nod|nods|nodding|nodded)(?: (?:my|his|her|their) heads?)?(?: at \w+)?"),
    ("shake head", rf"{_IS}(?:shake|shakes|shaking) (?:my|the|his|her|their) heads?|shake head"),
    (
        "enter",
        (rf"{_IS}(?:come|comes|coming|walk|walks|walking|step|steps|get|gets) (?:in|back|in here"
        rf"|in(?:to)? {_PLACE})"
        rf"|{_IS}(?:enter|enters|entering|entered|appear|appears|appearing|arrive|arrives|arriving)"
        rf"(?: (?:in )?{_PLACE})?|(?:am|is|are) (?:here|there|back|in {_PLACE})|shows? up|have come in"),
    ),
    (
        "leave",
        (rf"{_IS}(?:leave|leaves|leaving)(?: {_PLACE}| the desk| my desk)?|(?:have|has) left(?: {_PLACE})?"
        rf"|{_IS}(?:go|goes|going|walk|walks|walking|step|steps) (?:away|out|off|out of {_PLACE})"
        r"|(?:am|is|are) gone|disappears?"),
    ),
)  # fmt: skip


def exercise_of(words: str) -> str | None:
    """One of ``COUNTED``, ``ANY`` for exercises that have no name there; None for what is no exercise."""
    return _named(words, COUNTED, _EXERCISES)


def cue_of(words: str) -> str | None:
    """One of ``CUES`` for what somebody does, as in "waves at you" or "am slouching"."""
    return _named(words, CUES, _CUES)


def _named(words: str, names: tuple[str, ...], patterns: tuple[tuple[str, str], ...]) -> str | None:
    plain = words.lower().replace("_", " ").strip()
    if plain in names:
        return plain
    return next((name for name, pattern in patterns if re.fullmatch(pattern, plain)), None)
