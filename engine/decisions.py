"""The decision tokens and the model's own text tokens.

Decisions are the contract's five. A *say token* is what the model may add to a
decision: a control (``relay`` the next words of a background answer, ``drop``
it) or one of the short phrases it was trained to say by itself.
"""

DECISIONS = ("listen", "speak", "backchannel", "interrupt", "yield")

NONE, RELAY, DROP = "none", "relay", "drop"
BACKCHANNELS = ("mm-hm", "right", "I see", "yeah", "okay")
BRIDGES = ("Let me see.", "Let me think.", "One moment.", "Sure, one second.", "Okay, let me check.", "Hmm.")
OTHER_PHRASES = ("Sorry, could you say that again?", "Go ahead.", "Excuse me.", "Got it.")
SAY_TOKENS = (NONE, RELAY, DROP, *BACKCHANNELS, *BRIDGES, *OTHER_PHRASES)
CONTROL_TOKENS = (NONE, RELAY, DROP)

SAY_INDEX = {token: i for i, token in enumerate(SAY_TOKENS)}
DECISION_INDEX = {name: i for i, name in enumerate(DECISIONS)}
