"""From words to an expression: "the square root of 16 plus 3" is "sqrt(16) + 3"."""

import re

_MAX_DEPTH = 20

_TOKENS = (
    (r"(?:(?:the |a )?(?:square )?root of|square root|sqrt)(?= |\(|\d)", "sqrt"),
    (r"(?:the |a )?cube(?:d)? root(?: of)?|cbrt", "cbrt"),
    (r"(?:the )?(\d+)(?:th|rd|nd) root of", "root"),
    (r"(?:the )?(?:natural log(?:arithm)?|ln)(?: of)?", "ln"),
    (r"(?:the )?log(?:arithm)?(?: base 10)?(?: of)?", "log"),
    (r"(?:the )?sin(?:e)?(?: of)?", "sin"),
    (r"(?:the )?cos(?:ine)?(?: of)?", "cos"),
    (r"(?:the )?tan(?:gent)?(?: of)?", "tan"),
    (r"(?:the )?(?:absolute value|abs)(?: of)?", "abs"),
    (r"(?:the )?square of", "square"),
    (r"(?:the )?cube of", "cube"),
    (r"(?:the )?factorial of", "fact"),
    (r"(?:double|twice)(?! (?:by|of)\b)", "2*"),
    (r"(?:triple|thrice)", "3*"),
    (r"(?:quadruple)", "4*"),
    (
        r"to the power(?: of)?|raised to the power(?: of)?|raised to|to the (?=\d+(?:st|nd|rd|th)\b)|\*\*|\^",
        "^",
    ),
    (r"squared", "^2"),
    (r"cubed", "^3"),
    (r"factorial|!", "!"),
    (r"percent|%", "%"),
    (r"plus|added to|\+", "+"),
    (r"minus|less|take away|takeaway|subtract|-", "-"),
    (r"times|multiplied by|multiplied with|multiply by|x(?= ?[\d(])|×|\*", "*"),
    (r"divided by|divided into|divide by|over|÷|/", "/"),
    (r"modulo|modulus|mod", "mod"),
    (r"of", "of"),
    (r"\(|open bracket|open parenthesis", "("),
    (r"\)|close bracket|close parenthesis", ")"),
    (r"(\d+) and (?:a |1 )?half", "half"),
    (r"(\d+) and (?:a |1 )quarter", "quarter"),
    (r"(\d+) and (\d+/\d+)", "mixed"),
    (r"(?:a |1 )?half", "1/2"),
    (r"(?:a |1 )?quarter", "1/4"),
    (r"(\d+) quarters?", "quarters"),
    (r"(\d+(?:\.\d+)?|\.\d+)(?:st|nd|rd|th)? dozen", "dozen"),
    (r"a dozen", "12"),
    (r"pi\b", "pi"),
    (r"(\d+)/(\d+)(?= of\b)", "fraction"),
    (r"(\d+(?:\.\d+)?|\.\d+)(?:(?:st|nd|rd|th)(?: power)?)?(?![\w.]|,\d)", "number"),
    (r"(\d+(?:\.\d+)?)(?=x ?\d)", "number"),
    (r"that|it|this|the (?:result|answer|total|number)", "that"),
)
_COMPILED = tuple((re.compile(pattern), kind) for pattern, kind in _TOKENS)
_FUNCTIONS = {"sqrt", "cbrt", "ln", "log", "sin", "cos", "tan", "abs"}


class UnclearError(Exception):
    """The words are no arithmetic."""


def _scan(text: str) -> list[tuple[str, tuple[str, ...]]]:
    tokens: list[tuple[str, tuple[str, ...]]] = []
    at = 0
    while at < len(text):
        if text[at] in " ,":
            at += 1
            continue
        for pattern, kind in _COMPILED:
            found = pattern.match(text, at)
            # A word ends where it ends: "mod" is not the beginning of "modern".
            if (
                found
                and found.end() > at
                and not (found[0][-1].isalpha() and text[found.end() : found.end() + 1].isalpha())
            ):
                tokens.append((kind, tuple(found.groups())))
                at = found.end()
                break
        else:
            raise UnclearError
    return tokens


class _Words:
    """Reads tokens into an expression of the tool's grammar; ``that``: what "that" stands for, or empty."""

    def __init__(self, text: str, that: str) -> None:
        self._tokens = _scan(text)
        self._at = 0
        self._that = that
        self._depth = 0
        self.operations = 0
        self.used_that = False

    def _peek(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def _take(self) -> tuple[str, tuple[str, ...]]:
        if self._at >= len(self._tokens):
            raise UnclearError
        self._at += 1
        return self._tokens[self._at - 1]

    def whole(self) -> str:
        text = self._sum()
        if self._peek():
            raise UnclearError
        return text

    def _sum(self) -> str:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise UnclearError
        text = self._product()
        while self._peek() in ("+", "-"):
            operator, _ = self._take()
            self.operations += 1
            text = f"{text} {operator} {self._product()}"
        self._depth -= 1
        return text

    def _product(self) -> str:
        text = self._of()
        while self._peek() in ("*", "/", "mod"):
            operator, _ = self._take()
            self.operations += 1
            factor = self._of()
            # "20 divided by half of 10" divides by 5.
            text = f"{text} {operator} {f'({factor})' if ' ' in factor else factor}"
        return text

    def _of(self) -> str:
        text = self._sign()
        while self._peek() == "of":
            self._take()
            self.operations += 1
            text = f"{text} {'*' if text.endswith('%') else 'of'} {self._sign()}"
        return text

    def _sign(self) -> str:
        if self._peek() == "-":
            self._take()
            return f"-{self._sign()}"
        return self._power()

    def _power(self) -> str:
        text = self._postfix()
        if self._peek() == "^":
            self._take()
            self.operations += 1
            return f"{text}^{self._sign()}"
        return text

    def _postfix(self) -> str:
        text = self._atom()
        while self._peek() in ("^2", "^3", "!", "%"):
            kind, _ = self._take()
            self.operations += kind != "%"
            text = f"({text}){kind}" if "^" in text and kind != "%" else f"{text}{kind}"
        return text

    def _atom(self) -> str:
        kind, groups = self._take()
        if kind == "number":
            return groups[0]
        if kind == "(":
            text = self._sum()
            if self._take()[0] != ")":
                raise UnclearError
            return f"({text})"
        if kind == "that" and self._that:
            self.used_that = True
            return self._that
        simple = {
            "1/2": "(1/2)",
            "1/4": "(1/4)",
            "12": "12",
            "pi": "pi",
            "half": f"{((*groups, ''))[0]}.5",
            "quarter": f"{((*groups, ''))[0]}.25",
            "quarters": f"({((*groups, ''))[0]}/4)",
            "dozen": f"({((*groups, ''))[0]} * 12)",
        }
        if kind in simple:
            return simple[kind]
        if kind == "fraction":
            return f"({groups[0]}/{groups[1]})"
        if kind == "mixed":
            return f"({groups[0]} + {groups[1]})"
        return self._function(kind, groups)

    def _function(self, kind: str, groups: tuple[str, ...]) -> str:
        self.operations += 1
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise UnclearError
        inner = self._power()
        self._depth -= 1
        if kind in _FUNCTIONS:
            return f"{kind}{inner}" if inner.startswith("(") and inner.endswith(")") else f"{kind}({inner})"
        shapes = {
            "root": f"root({inner}, {((*groups, ''))[0]})",
            "square": f"({inner})^2",
            "cube": f"({inner})^3",
            "fact": f"({inner})!",
            "2*": f"(2 * {inner})",
            "3*": f"(3 * {inner})",
            "4*": f"(4 * {inner})",
        }
        if kind not in shapes:
            raise UnclearError
        return shapes[kind]


def read(text: str, that: str = "", *, bare: bool = False) -> str:
    """The expression that ``text`` says, with ``that`` for "that" and "it".

    Raises:
        UnclearError: it says none, or a number alone and not ``bare``.
    """
    words = _Words(text, that)
    expression = words.whole()
    if words.operations == 0 and not bare and not (words.used_that and expression != that):
        raise UnclearError
    return expression


def operand(text: str, that: str) -> str:
    """Like ``read``, in brackets where it is more than a number or a function."""
    expression = read(text, that, bare=True)
    return expression if re.fullmatch(r"[\d.]+%?|\(.*\)|\w+\([^()]*\)", expression) else f"({expression})"
