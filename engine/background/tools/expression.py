"""The grammar of arithmetic expressions: text to a tree, and a tree to words.

sum     := product (("+" | "-") product)*
product := sign (("*" | "/" | "mod" | "of") sign)*
sign    := "-" sign | power
power   := postfix ("^" sign)?
postfix := atom ("!" | "%")*
atom    := number | "pi" | "e" | name "(" sum ("," sum)* ")" | "(" sum ")"
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from engine.background.tools.tool import ToolError

MAX_CHARS = 400
_MAX_DEPTH = 40
_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d*)?|\.\d+)|([a-z][a-z0-9]*)|(\*\*|[-+*/^%!(),×÷−]))")
_SAME = {"**": "^", "×": "*", "÷": "/", "−": "-"}
_PI = Fraction("3.14159265358979323846264338327950288")
_E = Fraction("2.71828182845904523536028747135266250")
# How many arguments each takes: at least, at most.
ARITY = {
    **dict.fromkeys(("sqrt", "cbrt", "ln", "log", "log2", "sin", "cos", "tan", "abs", "round"), (1, 1)),
    **dict.fromkeys(("root", "percent"), (2, 2)),
    **dict.fromkeys(("gcd", "lcm", "average", "sum", "max", "min"), (2, 40)),
}
_NAMES = {
    "sqrt": "the square root of",
    "cbrt": "the cube root of",
    "ln": "the natural logarithm of",
    "log": "the logarithm of",
    "log2": "the binary logarithm of",
    "sin": "the sine of",
    "cos": "the cosine of",
    "tan": "the tangent of",
    "abs": "the absolute value of",
    "gcd": "the greatest common divisor of",
    "lcm": "the least common multiple of",
    "average": "the average of",
    "sum": "the sum of",
    "max": "the largest of",
    "min": "the smallest of",
}
_ROOTS = {2: "square", 3: "cube", 4: "fourth", 5: "fifth", 6: "sixth", 7: "seventh", 8: "eighth", 9: "ninth"}
_FRACTIONS = {"2": "half", "4": "quarter"} | {str(n): name for n, name in _ROOTS.items() if n not in (2, 4)}
_FRACTIONS |= {"3": "third", "10": "tenth"}
_WORDS = {"+": "plus", "-": "minus", "*": "times", "/": "divided by", "mod": "modulo", "of": "of"}
_LEVEL = {"+": 1, "-": 1, "*": 2, "/": 2, "of": 2, "mod": 2, "neg": 3, "^": 4, "!": 5, "%": 5}


@dataclass(frozen=True)
class Node:
    """``kind``: "number", "call", or an operator; ``text``: a number as it was written."""

    kind: str
    parts: tuple["Node", ...] = ()
    number: Fraction = Fraction(0)
    name: str = ""
    text: str = ""


class _Reader:
    """Goes through the tokens once; ``depth`` counts what is open."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0
        self._depth = 0

    def peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self._at += 1
        return token

    def expect(self, token: str) -> None:
        if self.take() != token:
            raise ToolError("I can't read that as a calculation.")

    def sum(self) -> Node:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ToolError("That calculation is nested too deeply.")
        node = self._product()
        while self.peek() in ("+", "-"):
            node = Node(self.take(), (node, self._product()))
        self._depth -= 1
        return node

    def _product(self) -> Node:
        node = self._sign()
        while self.peek() in ("*", "/", "mod", "of"):
            node = Node(self.take(), (node, self._sign()))
        return node

    def _sign(self) -> Node:
        minus = 0
        while self.peek() in ("-", "+"):
            minus += self.take() == "-"
        node = self._power()
        return Node("neg", (node,)) if minus % 2 else node

    def _power(self) -> Node:
        base = self._postfix()
        if self.peek() != "^":
            return base
        self.take()
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ToolError("That calculation is nested too deeply.")
        node = Node("^", (base, self._sign()))
        self._depth -= 1
        return node

    def _postfix(self) -> Node:
        node = self._atom()
        count = 0
        while self.peek() in ("!", "%"):
            count += 1
            if count > 4:
                raise ToolError("I can't read that as a calculation.")
            node = Node(self.take(), (node,))
        return node

    def _atom(self) -> Node:
        token = self.take()
        if token and (token[0].isdigit() or token[0] == "."):
            return Node("number", number=Fraction(token.rstrip(".")), text=token.rstrip("."))
        if token == "(":
            node = self.sum()
            self.expect(")")
            return node
        if token in ("pi", "e"):
            return Node("number", number=_PI if token == "pi" else _E, text=token)
        if token in ARITY:
            self.expect("(")
            parts = [self.sum()]
            while self.peek() == ",":
                self.take()
                parts.append(self.sum())
            self.expect(")")
            low, high = ARITY[token]
            if low <= len(parts) <= high:
                return Node("call", tuple(parts), name=token)
        raise ToolError("I can't read that as a calculation.")


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found:
            raise ToolError("I can't read that as a calculation.")
        token = found[1] or found[2] or found[3]
        tokens.append(_SAME.get(token, token))
        at = found.end()
    return tokens


def parsed(text: str) -> Node:
    """The tree of an expression.

    Raises:
        ToolError: it is none, longer than ``MAX_CHARS``, or nested too deeply.
    """
    text = text.strip().lower()
    if not text:
        raise ToolError("There is nothing to calculate.")
    if len(text) > MAX_CHARS:
        raise ToolError("That calculation is too long for me.")
    reader = _Reader(text)
    node = reader.sum()
    if reader.peek():
        raise ToolError("I can't read that as a calculation.")
    return node


def spoken_expression(node: Node, max_chars: int) -> str:
    """The expression in words, "12 times 7"; "" where it needs brackets or more than ``max_chars``."""
    said = _said(node)
    return said if said and len(said) <= max_chars else ""


def _said(node: Node) -> str:
    if node.kind == "number":
        return node.text if node.text in ("pi", "e") else _number(node.text)
    parts = [_said(part) for part in node.parts]
    if not all(parts) or _nested(node):
        return ""
    first = parts[0]
    if node.kind == "call":
        return _call(node, parts)
    if node.kind == "neg":
        return f"minus {first}"
    if node.kind == "%":
        return f"{first} percent"
    if node.kind == "!":
        return f"{first} factorial"
    if node.kind == "^":
        return {"2": f"{first} squared", "3": f"{first} cubed"}.get(
            node.parts[1].text, f"{first} to the power of {parts[1]}"
        )
    if node.kind == "of" and node.parts[0].kind == "/":
        first = _fraction(node.parts[0]) or first
    if node.kind == "*" and node.parts[0].kind == "%":
        return f"{first} of {parts[1]}"
    return f"{first} {_WORDS[node.kind]} {parts[1]}"


def _nested(node: Node) -> bool:
    """Whether it needs brackets, which can't be heard."""
    level = _LEVEL.get(node.kind, 9)
    inner = [_LEVEL.get(part.kind, 9) for part in node.parts]
    if node.kind == "call":
        return any(i < 3 for i in inner)
    if not inner:
        return False
    if node.kind == "^":
        return inner[0] <= level or inner[1] < 3
    if level >= 3:
        return inner[0] < level
    return inner[0] < level or (len(inner) > 1 and inner[1] <= level)


def _call(node: Node, parts: list[str]) -> str:
    if node.name == "root":
        degree = node.parts[1].number
        which = _ROOTS.get(int(degree), "") if degree.denominator == 1 else ""
        return f"the {which} root of {parts[0]}" if which else ""
    if node.name == "round":
        return f"{parts[0]} rounded"
    if node.name not in _NAMES:
        return ""
    listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"{_NAMES[node.name]} {listed}"


def _fraction(node: Node) -> str:
    """A third, 2 thirds; "" for a fraction that has no such name."""
    top, bottom = (part.text for part in node.parts)
    name = _FRACTIONS.get(bottom, "")
    if not name or not top.isdigit():
        return ""
    if top == "1":
        return "half" if bottom == "2" else f"a {name}"
    return f"{top} {'halves' if bottom == '2' else name + 's'}"


def _number(text: str) -> str:
    whole, point, rest = text.partition(".")
    return f"{int(whole or '0'):,}{point}{rest}" if len(whole) < 16 else ""
