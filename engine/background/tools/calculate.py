"""Exact arithmetic on fractions, with limits where numbers explode, and results as they are said."""

import math
from collections.abc import Callable
from decimal import Context, Decimal, DecimalException, localcontext
from fractions import Fraction

from engine.background.tools.expression import Node, parsed, spoken_expression
from engine.background.tools.tool import Arguments, Tool, ToolContext, ToolError, ToolResult, schema

_MAX_BITS = 40_000
_MAX_EXACT_FACTORIAL = 2_000
_PRECISION = Context(prec=40)
_NAMED = ((33, "decillion"), (30, "nonillion"), (27, "octillion"), (24, "septillion"), (21, "sextillion"),
          (18, "quintillion"), (15, "quadrillion"))  # fmt: skip
_SAID_CHARS = 70


class TooLargeError(ToolError):
    """The result has more digits than are worth computing: about ``10 ** log10``."""

    def __init__(self, log10: float) -> None:
        super().__init__("That number is too large for me.")
        self.log10 = log10


class Value:
    """A number as a fraction; ``exact`` is False once a root or a logarithm had to be rounded."""

    __slots__ = ("exact", "number")

    def __init__(self, number: Fraction, exact: bool = True) -> None:
        if max(number.numerator.bit_length(), number.denominator.bit_length()) > 8 * _MAX_BITS:
            raise TooLargeError(float(number.numerator.bit_length()) * math.log10(2))
        self.number = number
        self.exact = exact


def value_of(expression: str) -> Value:
    """What an expression of the grammar in ``expression`` comes to.

    Raises:
        ToolError: it is no expression, has no result, or one that is too large.
    """
    return _eval(parsed(expression))


def _eval(node: Node) -> Value:
    if node.kind == "number":
        return Value(node.number)
    if node.kind in ("+", "-"):
        return _sum(node)
    if node.kind == "call":
        return _CALLS[node.name](*(_eval(part) for part in node.parts))
    values = [_eval(part) for part in node.parts]
    return _OPERATIONS[node.kind](*values)


def _sum(node: Node) -> Value:
    left, right = _eval(node.parts[0]), _eval(node.parts[1])
    change = right.number
    if node.parts[1].kind == "%" and node.parts[0].kind != "%":
        # As people and pocket calculators mean it: 80 plus 15 percent is 92.
        change = left.number * right.number
    return Value(
        left.number + change if node.kind == "+" else left.number - change, left.exact and right.exact
    )


def _times(left: Value, right: Value) -> Value:
    return Value(left.number * right.number, left.exact and right.exact)


def _over(left: Value, right: Value) -> Value:
    if right.number == 0:
        raise ToolError("You can't divide by zero.")
    return Value(left.number / right.number, left.exact and right.exact)


def _remainder(left: Value, right: Value) -> Value:
    if right.number == 0:
        raise ToolError("You can't divide by zero.")
    return Value(left.number % right.number, left.exact and right.exact)


def _power(base: Value, exponent: Value) -> Value:
    number, power = base.number, exponent.number
    if number == 0 and power < 0:
        raise ToolError("You can't divide by zero.")
    if power.denominator == 1:
        size = max(number.numerator.bit_length(), number.denominator.bit_length())
        if abs(number) not in (0, 1) and abs(power) * size > _MAX_BITS:
            log10 = _log10(abs(number)) * (
                float(power) if abs(power) < 10**300 else math.copysign(math.inf, power)
            )
            raise TooLargeError(log10)
        return Value(number ** int(power), base.exact and exponent.exact)
    if number < 0:
        raise ToolError("A negative number has no such root.")
    root = _exact_root(number, power.denominator)
    if root is not None and abs(power.numerator) < 1000:
        return _power(Value(root, base.exact), Value(Fraction(power.numerator), exponent.exact))
    return _rounded(lambda context: context.power(_decimal(number), _decimal(power)))


def _log10(number: Fraction) -> float:
    return math.log10(number.numerator) - math.log10(number.denominator)


def _exact_root(number: Fraction, degree: int) -> Fraction | None:
    if degree > 64:
        return None
    top, bottom = _integer_root(number.numerator, degree), _integer_root(number.denominator, degree)
    root = Fraction(top, bottom)
    return root if root**degree == number else None


def _integer_root(number: int, degree: int) -> int:
    """The largest integer whose power is at most ``number``."""
    if degree == 2:
        return math.isqrt(number)
    low, high = 0, 1 << (number.bit_length() // degree + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**degree <= number else (low, middle - 1)
    return low


def _decimal(number: Fraction) -> Decimal:
    return _PRECISION.divide(Decimal(number.numerator), Decimal(number.denominator))


def _rounded(compute: Callable[[Context], Decimal]) -> Value:
    try:
        with localcontext(_PRECISION) as context:
            result = compute(context)
    except (DecimalException, OverflowError, ValueError):
        raise ToolError("I can't work that out.") from None
    if not result.is_finite():
        raise ToolError("I can't work that out.")
    if abs(result.adjusted()) > 5_000:
        raise TooLargeError(float(result.adjusted()))
    return Value(Fraction(result), exact=False)


def _factorial(value: Value) -> Value:
    number = value.number
    if number.denominator != 1 or number < 0:
        raise ToolError("Only whole numbers from zero up have a factorial.")
    if number > _MAX_EXACT_FACTORIAL:
        raise TooLargeError(math.lgamma(float(min(number, Fraction(10**300))) + 1) / math.log(10))
    return Value(Fraction(math.factorial(int(number))))


def _root(value: Value, degree: Value) -> Value:
    if degree.number == 0:
        raise ToolError("There is no zeroth root.")
    if value.number < 0 and degree.number.denominator == 1 and degree.number % 2:
        positive = _root(Value(-value.number, value.exact), degree)
        return Value(-positive.number, positive.exact)
    if value.number < 0:
        raise ToolError("A negative number has no real square root.")
    return _power(value, Value(1 / degree.number))


def _log(value: Value, base: Value | None = None) -> Value:
    if value.number <= 0 or (base and (base.number <= 0 or base.number == 1)):
        raise ToolError("Only numbers above zero have a logarithm.")
    if base is None:
        return _rounded(lambda context: context.ln(_decimal(value.number)))
    result = _rounded(
        lambda context: context.divide(context.ln(_decimal(value.number)), context.ln(_decimal(base.number)))
    )
    whole = round(result.number)
    if abs(whole) < 400 and base.number**whole == value.number:
        return Value(Fraction(whole))
    return result


def _angle(function: Callable[[float], float], value: Value) -> Value:
    degrees = value.number % 360
    if function is math.tan and degrees % 180 == 90:
        raise ToolError("The tangent has no value there.")
    return Value(Fraction(f"{function(math.radians(float(degrees))):.15f}"), exact=False)


def _whole(value: Value) -> int:
    if value.number.denominator != 1:
        raise ToolError("That takes whole numbers.")
    return int(value.number)


def _mean(*values: Value) -> Value:
    return Value(sum((v.number for v in values), Fraction(0)) / len(values), all(v.exact for v in values))


_OPERATIONS: dict[str, Callable[..., Value]] = {
    "*": _times,
    "/": _over,
    "of": _times,
    "mod": _remainder,
    "^": _power,
    "!": _factorial,
    "%": lambda value: Value(value.number / 100, value.exact),
    "neg": lambda value: Value(-value.number, value.exact),
}
_CALLS: dict[str, Callable[..., Value]] = {
    "sqrt": lambda value: _root(value, Value(Fraction(2))),
    "cbrt": lambda value: _root(value, Value(Fraction(3))),
    "root": _root,
    "ln": _log,
    "log": lambda value: _log(value, Value(Fraction(10))),
    "log2": lambda value: _log(value, Value(Fraction(2))),
    "sin": lambda value: _angle(math.sin, value),
    "cos": lambda value: _angle(math.cos, value),
    "tan": lambda value: _angle(math.tan, value),
    "abs": lambda value: Value(abs(value.number), value.exact),
    "round": lambda value: Value(Fraction(math.floor(value.number + Fraction(1, 2))), value.exact),
    "gcd": lambda *values: Value(Fraction(math.gcd(*(_whole(v) for v in values)))),
    "lcm": lambda *values: Value(Fraction(math.lcm(*(_whole(v) for v in values)))),
    "average": _mean,
    "sum": lambda *values: Value(sum((v.number for v in values), Fraction(0)), all(v.exact for v in values)),
    "max": lambda *values: max(values, key=lambda v: v.number),
    "min": lambda *values: min(values, key=lambda v: v.number),
    "percent": lambda part, whole: _times(_over(part, whole), Value(Fraction(100))),
}


def spoken_number(number: Fraction, exact: bool = True) -> tuple[str, bool]:
    """A number as it is said, and whether it had to be rounded: ("1.4142", True), ("1,000", False)."""
    sign = "minus " if number < 0 else ""
    size = abs(number)
    if size == 0:
        return "0", not exact
    if size >= 10**15:
        return _large(sign, _log10(size), exact and size.denominator == 1, size)
    if size.denominator == 1:
        return f"{sign}{int(size):,}", False
    decimal = _decimal(size)
    finite = exact and (size * 10**6).denominator == 1
    if size < Fraction(1, 100_000) and not finite:
        digits, power = f"{decimal:.2e}".split("e")
        return f"{sign}{_trimmed(digits)} times 10 to the power of minus {abs(int(power))}", True
    if finite:
        return f"{sign}{_trimmed(f'{decimal:,f}')}", False
    places = 2 if size >= 1000 else 4 if size >= Fraction(1, 100) else 6
    shown = round(size, places)
    # A root or a sine that comes out even has only been rounded far behind what is said.
    return f"{sign}{_trimmed(f'{_decimal(shown):,.{places}f}')}", abs(shown - size) > size / 10**12


def _large(sign: str, log10: float, exact: bool, size: Fraction) -> tuple[str, bool]:
    for power, name in _NAMED:
        scaled = size / 10**power
        if 1 <= round(scaled, 3) < 1000:
            whole = exact and (scaled * 1000).denominator == 1
            return f"{sign}{_trimmed(f'{_decimal(round(scaled, 3)):.3f}')} {name}", not whole
    power = math.floor(log10)
    digits = _trimmed(f"{10 ** (log10 - power):.2f}")
    if exact and size == 10**power:
        return f"{sign}1 with {power} zeros", False
    return f"{sign}{digits} times 10 to the power of {power}", True


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _too_large(node: Node, error: TooLargeError) -> ToolResult:
    """What is said where the last step made the result so large: how many digits it has."""
    if not math.isfinite(error.log10) or error.log10 < 0 or abs(error.log10) > 1e15:
        raise ToolError("That is far too small or too large a number to tell.") from error
    if error.log10 < 15:
        text, _ = spoken_number(Fraction(10**error.log10), exact=False)
        return ToolResult(f"That's about {text}.", {"result": text.replace(",", ""), "rounded": True})
    digits, _ = spoken_number(Fraction(int(error.log10) + 1))
    if error.log10 > 1e6:
        digits = "about " + _millions(int(error.log10) + 1)
    say = f"{spoken_expression(node, _SAID_CHARS) or 'That'} is a number with {digits} digits."
    return ToolResult(say, {"digits": int(error.log10) + 1})


def _millions(number: int) -> str:
    for size, name in ((10**12, "trillion"), (10**9, "billion"), (10**6, "million")):
        if number >= size:
            return f"{_trimmed(f'{number / size:.1f}')} {name}"
    return f"{number:,}"


def _run(arguments: Arguments, _context: ToolContext) -> ToolResult:
    node = parsed(str(arguments.get("expression", "")))
    if node.kind in ("^", "!"):
        values = [_eval(part) for part in node.parts]
        try:
            value = _OPERATIONS[node.kind](*values)
        except TooLargeError as error:
            return _too_large(node, error)
    else:
        value = _eval(node)
    text, rounded = spoken_number(value.number, value.exact)
    said = spoken_expression(node, _SAID_CHARS)
    about = "about " if rounded else ""
    if node.kind == "call" and node.name == "percent":
        part, whole = (spoken_expression(part, _SAID_CHARS) for part in node.parts)
        say = (
            f"{part} is {about}{text} percent of {whole}."
            if part and whole
            else f"That's {about}{text} percent."
        )
    else:
        say = f"{said[:1].upper() + said[1:]} is {about}{text}." if said else f"That's {about}{text}."
    data: dict[str, str | int | float | bool] = {"result": text.replace(",", ""), "rounded": rounded}
    return ToolResult(say, data)


CALCULATE = Tool(
    name="calculate",
    description=(
        "Exact arithmetic: + - * / ^ % ! mod, of, sqrt(), cbrt(), root(x, n), average(...) and the like."
    ),
    parameters=schema(("expression",), expression={"type": "string", "maxLength": 400}),
    run=_run,
)
