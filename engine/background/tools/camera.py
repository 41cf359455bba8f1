"""The tool that gives a language model the camera's newest picture."""

from engine.background.tools.tool import Arguments, Tool, ToolContext, ToolError, ToolResult, schema

CANNOT_LOOK = "I have a picture from the camera, but my language model cannot look at pictures."
NO_PICTURE = "I have no camera picture: the camera is off, or its pictures are not given to me."


def look(arguments: Arguments, context: ToolContext) -> ToolResult:
    """What the camera sees now. ``say`` is for models that take no pictures; others say what they see.

    Raises:
        ToolError: there is no picture.
    """
    if not context.jpeg:
        raise ToolError(NO_PICTURE)
    question = " ".join(str(arguments.get("question") or "").split())[:300]
    return ToolResult(CANNOT_LOOK, {"question": question, "bytes": len(context.jpeg)}, context.jpeg)


LOOK = Tool(
    name="look",
    description="Look at what the camera sees right now, to answer a question about it.",
    parameters=schema(question={"type": "string", "description": "What to find out about the picture."}),
    run=look,
)
