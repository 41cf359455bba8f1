"""The tool for questions about the assistant itself: what it is, what it can do, where words go.

Only what holds in every session is said: a tool does not know the settings, so what depends on them is told
with its condition.
"""

from engine.background.tools.camera import NO_PICTURE
from engine.background.tools.tool import Arguments, Tool, ToolContext, ToolError, ToolResult, schema

CAMERA = "camera"
HAS_PICTURE = (
    "I get pictures from the camera, but the language model inside me cannot tell what is in them. "
    "One on a server may."
)
ANSWERS = {
    # True of what was typed, too.
    "hearing": "Yes, I got that.",
    "presence": "Yes, I'm here.",
    "identity": "I'm Microturn, a computer program that listens and talks at the same time.",
    "name": "My name is Microturn.",
    "machine": "I'm a computer program, not a person. What I say can be wrong.",
    "abilities": "I do sums, units, dates, timers, notes and lists, and know countries and words. "
    "Ask me anything else too, but then I can be wrong.",
    "privacy": "Your voice stays on this computer. If you set up a server elsewhere, your words go to it "
    "as text, and pictures only if you allow it.",
    "recording": "Only if you switch recording on. The window shows a light while it runs.",
    "mood": "I'm fine, as far as a program can be. How can I help?",
    "maker": "I'm Microturn, a project under the Apache licence. More about my makers I don't know.",
    "languages": "Only English so far.",
    "speed": "You can set how fast I speak: in the menu Session, Settings, under Conversation.",
    "volume": "I can't change that. Turn the volume of the computer up or down.",
    "stopping": "Say stop, or press Escape.",
}


def about(arguments: Arguments, context: ToolContext) -> ToolResult:
    """What is true of the assistant itself, in one or two sentences. ``context.jpeg``: whether it sees.

    Raises:
        ToolError: the topic is none of those it knows.
    """
    topic = str(arguments.get("topic") or "")
    if topic == CAMERA:
        return ToolResult(HAS_PICTURE if context.jpeg else NO_PICTURE, {"topic": topic})
    if topic not in ANSWERS:
        raise ToolError("I don't know that about myself.")
    return ToolResult(ANSWERS[topic], {"topic": topic})


ABOUT = Tool(
    name="about",
    description="What the assistant itself is and can do, whether it hears and sees, and where words go.",
    parameters=schema(("topic",), topic={"type": "string", "enum": [*ANSWERS, CAMERA]}),
    run=about,
)
