"""The decision tokens and the model's own text tokens.

Decisions are the contract's five. A *say token* is what the model may add to a
decision: a control (``relay`` the next words of a background answer, ``drop``
it; ``count`` on, say the words of a ``cue`` or of a ``time`` that was asked for:
``engine.standing``) or one of the short phrases it was trained to say by itself. A correction
is a phrase that drops as well: what was being answered no longer matters.
"""

DECISIONS = ("listen", "speak", "backchannel", "interrupt", "yield")

NONE, RELAY, DROP = "none", "relay", "drop"
COUNT, CUE, TIME = "count", "cue", "time"
BACKCHANNELS = ("mm-hm", "uh-huh", "right", "I see", "yeah", "okay", "oh")
BRIDGES = ("Let me see.", "Let me think.", "One moment.", "Sure, one second.", "Okay, let me check.", "Hmm.")
HOLDS = ("Still looking.", "Nearly there.", "Just a moment more.")
ACKNOWLEDGEMENTS = ("Got it.", "All right.", "Okay then.")
FILLERS = (*BRIDGES, *ACKNOWLEDGEMENTS)  # said with a hand-over, until the answer comes
REPEATS = ("Sorry, could you say that again?", "Sorry, I didn't catch that.")
YIELDS = ("Go ahead.", "Sorry, go ahead.")
RESUMES = ("As I was saying,", "So,")
CORRECTIONS = ("Oh, okay.", "Okay, sure.", "Ah, all right.")
INTERRUPTIONS = ("Excuse me.",)
PHRASES = (
    *BACKCHANNELS,
    *BRIDGES,
    *HOLDS,
    *ACKNOWLEDGEMENTS,
    *REPEATS,
    *YIELDS,
    *RESUMES,
    *CORRECTIONS,
    *INTERRUPTIONS,
)
STANDING_TOKENS = (COUNT, CUE, TIME)
CONTROL_TOKENS = (NONE, RELAY, DROP, *STANDING_TOKENS)
SAY_TOKENS = (NONE, RELAY, DROP, *PHRASES, *STANDING_TOKENS)  # newer ones last: weights keep their meaning

SAY_INDEX = {token: i for i, token in enumerate(SAY_TOKENS)}
DECISION_INDEX = {name: i for i, name in enumerate(DECISIONS)}


def drops(say: str) -> bool:
    """Whether a say token throws away what the background was asked and has answered."""
    return say == DROP or say in CORRECTIONS
