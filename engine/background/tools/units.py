"""Conversion of units, computed by pint. What units people name, and how they are said."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import cache
from typing import Any

from engine.background.tools.calculate import spoken_number
from engine.background.tools.tool import Arguments, Tool, ToolContext, ToolError, ToolResult, schema

_MAX_AMOUNT = Decimal(10) ** 30


@dataclass(frozen=True)
class Unit:
    """``name`` and ``plural``: as they are said; ``pint``: its name in pint; ``kind``: what it measures."""

    name: str
    plural: str
    pint: str
    kind: str


# One line each: how it is said, the plural where it is no "s", pint's name, other ways to write or say it.
_TABLE = {
    "length": """
        nanometre || nanometer | nm nanometer
        micrometre || micrometer | micron micrometer
        millimetre || millimeter | mm millimeter
        centimetre || centimeter | cm centimeter cms
        metre || meter | m meter mtr
        kilometre || kilometer | km kilometer kms
        inch | inches | inch | in " ins
        foot | feet | foot | ft '
        yard || yard | yd yds
        mile || mile | mi
        nautical mile || nautical_mile | nmi
        light year || light_year | lightyear light-year
        astronomical unit || astronomical_unit | au
        fathom || fathom |
        furlong || furlong |
        """,
    "mass": """
        microgram || microgram | mcg
        milligram || milligram | mg
        gram || gram | g gramme gm gms
        kilogram || kilogram | kg kilo kilogramme kgs
        tonne || metric_ton | metric-ton t
        ounce || ounce | oz
        pound || pound | lb lbs
        stone | stone | stone | stones st
        ton || short_ton | short-ton us-ton
        long ton || long_ton | imperial-ton
        """,
    "volume": """
        millilitre || milliliter | ml milliliter mil
        centilitre || centiliter | cl centiliter
        decilitre || deciliter | dl deciliter
        litre || liter | l liter
        teaspoon || teaspoon | tsp
        tablespoon || tablespoon | tbsp
        fluid ounce || fluid_ounce | fl-oz floz
        cup || cup |
        pint || pint | pt
        quart || quart | qt
        gallon || gallon | gal
        imperial pint || imperial_pint | uk-pint british-pint
        imperial gallon || imperial_gallon | uk-gallon british-gallon
        cubic metre || meter**3 | m3 cubic-meter
        cubic centimetre || centimeter**3 | cc cm3 cubic-centimeter
        cubic foot | cubic feet | foot**3 | ft3
        cubic inch | cubic inches | inch**3 |
        barrel || oil_barrel | bbl
        """,
    "temperature": """
        degree Celsius | degrees Celsius | degC | celsius c °c centigrade celcius degree-c degree-centigrade
        degree Fahrenheit | degrees Fahrenheit | degF | fahrenheit f °f degree-f farenheit
        kelvin | kelvin | kelvin | k kelvins degree-kelvin
        """,
    "speed": """
        kilometre per hour | kilometres per hour | km/hour | kmh km/h kph kilometer-per-hour kilometre-an-hour
        mile per hour | miles per hour | mile/hour | mph mile-an-hour mi/h
        metre per second | metres per second | meter/second | m/s mps meter-per-second metre-a-second
        foot per second | feet per second | foot/second | ft/s fps
        knot || knot | kn kt
        """,
    "area": """
        square millimetre || millimeter**2 | mm2 square-millimeter
        square centimetre || centimeter**2 | cm2 square-centimeter
        square metre || meter**2 | m2 sqm sq-m square-meter
        square kilometre || kilometer**2 | km2 sq-km square-kilometer
        square inch | square inches | inch**2 | sq-in
        square foot | square feet | foot**2 | sqft sq-ft ft2
        square yard || yard**2 | sq-yd
        square mile || mile**2 | sq-mi
        acre || acre |
        hectare || hectare | ha
        """,
    "time": """
        nanosecond || nanosecond | ns
        microsecond || microsecond |
        millisecond || millisecond | ms
        second || second | sec secs s
        minute || minute | min mins
        hour || hour | hr hrs h
        day || day |
        week || week | wk
        fortnight || fortnight |
        month || common_month | mo
        year || common_year | yr yrs
        decade || common_decade |
        century | centuries | common_century |
        millennium | millennia | common_millennium | millenium
        """,
    "data": """
        bit || bit |
        byte || byte | b
        kilobit || kilobit | kbit
        megabit || megabit | mbit
        gigabit || gigabit | gbit
        kilobyte || kilobyte | kb
        megabyte || megabyte | mb meg
        gigabyte || gigabyte | gb gig
        terabyte || terabyte | tb
        petabyte || petabyte | pb
        kibibyte || kibibyte | kib
        mebibyte || mebibyte | mib
        gibibyte || gibibyte | gib
        tebibyte || tebibyte | tib
        """,
    "energy": """
        joule || joule | j
        kilojoule || kilojoule | kj
        megajoule || megajoule | mj
        calorie || kilocalorie | kcal kilocalorie cal
        watt hour || watt_hour | wh watt-hour
        kilowatt hour || kilowatt_hour | kwh kilowatt-hour
        British thermal unit || british_thermal_unit | btu
        electronvolt || electron_volt | ev electron-volt
        """,
    "power": """
        watt || watt | w
        kilowatt || kilowatt | kw
        megawatt || megawatt | mw
        horsepower | horsepower | horsepower | hp
        """,
    "pressure": """
        pascal || pascal | pa
        hectopascal || hectopascal | hpa
        kilopascal || kilopascal | kpa
        millibar || millibar | mbar
        bar || bar |
        atmosphere || atmosphere | atm
        pound per square inch | pounds per square inch | psi | psi
        millimetre of mercury | millimetres of mercury | mmHg | mmhg
        """,
    "angle": """
        degree || degree | °
        radian || radian | rad
        """,
}
_OWN = ("common_year = 365 * day", "common_month = common_year / 12", "common_decade = 10 * common_year",
        "common_century = 100 * common_year", "common_millennium = 1000 * common_year")  # fmt: skip
_IMPERIAL = {"inch", "foot", "yard", "mile"}


@cache
def units() -> Mapping[str, Unit]:
    """Every way to write or say a unit, in lower case with single spaces, and the unit."""
    found: dict[str, Unit] = {}
    for kind, table in _TABLE.items():
        for line in table.strip().splitlines():
            name, plural, pint, others = (part.strip() for part in line.split("|"))
            unit = Unit(name, plural or name + "s", pint, kind)
            spellings = {name, unit.plural, *(other.replace("-", " ") for other in others.split())}
            many = {unit.plural.lower(), *(s for s in spellings if s.endswith("s"))}
            for said in {s.lower() for s in spellings}:
                found.setdefault(said, unit)
                found.setdefault(re.sub(r"metre\b", "meter", said).replace("litre", "liter"), unit)
                if len(said) > 3 and said not in many and not re.search(r"(inch|foot|celsius)$|[/0-9]", said):
                    found.setdefault(_many(said), unit)
    return found


def _many(said: str) -> str:
    """The plural of a spelling: "meters", "meters per second", "degrees c"."""
    head, *rest = re.split(
        r"(?= per | an | a | of | c$| f$| celsius| centigrade| fahrenheit| kelvin)", said, maxsplit=1
    )
    return head + "s" + "".join(rest)


def find_unit(text: str) -> Unit | None:
    """The unit of that name, abbreviation or plural; American spellings too."""
    said = " ".join(text.lower().replace("-", " ").split()).rstrip(".")
    said = re.sub(r"^(us|american) (?=gallon|pint|quart|cup)", "", said)
    return units().get(said) or units().get(said.replace("degrees ", "degree "))


@cache
def _registry() -> Any:
    # Loading pint and its definitions takes a quarter of a second, so it waits for the first conversion.
    import pint

    registry: Any = pint.UnitRegistry(non_int_type=Decimal, cache_folder=None)
    for definition in _OWN:
        registry.define(definition)
    return registry


def warm_up() -> None:
    """Load pint and its definitions now, about a quarter of a second once; else the first conversion does."""
    converted(Decimal(1), units()["mile"], units()["km"])


def converted(amount: Decimal, unit: Unit, to: Unit) -> Decimal:
    """``amount`` of ``unit`` in ``to``.

    Raises:
        ToolError: they measure different things, or nothing is as cold as that.
    """
    if unit.kind != to.kind:
        raise ToolError(f"{_first(unit.plural)} measure {unit.kind}, and {to.plural} measure {to.kind}.")
    registry = _registry()
    if unit.kind == "temperature" and registry.Quantity(amount, unit.pint).to("kelvin").magnitude < 0:
        raise ToolError("That's below absolute zero.")
    result = Decimal(registry.Quantity(amount, unit.pint).to(to.pint).magnitude)
    return result if result == 0 else Decimal(f"{result:.20g}")  # what pint's own rounding left behind


def _first(text: str) -> str:
    return text[:1].upper() + text[1:]


def spoken_amount(amount: Decimal, unit: Unit) -> tuple[str, bool]:
    """An amount with its unit as it is said, and whether it had to be rounded: ("8.05 kilometres", True)."""
    size = abs(amount)
    places = (
        1
        if unit.kind == "temperature"
        else 0
        if size >= 100_000
        else 2
        if size >= 1
        else 4
        if size >= Decimal("0.01")
        else 8
    )
    exact = amount == amount.quantize(Decimal(1).scaleb(-4)) if size < 10**20 else False
    short = exact and len(f"{amount.normalize():f}".partition(".")[2]) <= max(places, 3)
    rounded = amount if short or size >= 10**15 else round(amount, places)
    text, large = spoken_number(Fraction(rounded))
    name = unit.name if abs(rounded) == 1 else unit.plural
    return f"{text} {name}", large or not short


def _feet_and_inches(feet: Decimal) -> str:
    inches = round(feet * 12)
    whole, rest = divmod(inches, 12)
    if rest == 0:
        return f"{whole} {'foot' if whole == 1 else 'feet'}"
    return f"{whole} {'foot' if whole == 1 else 'feet'} {rest} {'inch' if rest == 1 else 'inches'}"


def _amount(raw: object) -> Decimal:
    try:
        amount = Decimal(str(raw)[:60])
    except InvalidOperation:
        raise ToolError("I need a number to convert.") from None
    if not amount.is_finite() or abs(amount) > _MAX_AMOUNT:
        raise ToolError("That's too large a number to convert.")
    return amount


def _unit(raw: object) -> Unit:
    unit = find_unit(str(raw)[:60])
    if unit is None:
        raise ToolError(f"I don't know the unit {str(raw)[:40]}.")
    return unit


def _run(arguments: Arguments, _context: ToolContext) -> ToolResult:
    amount, unit, to = (
        _amount(arguments.get("amount")),
        _unit(arguments.get("unit")),
        _unit(arguments.get("to")),
    )
    total, said = amount, spoken_amount(amount, unit)[0]
    if "plus" in arguments:
        more, small = _amount(arguments["plus"]), _unit(arguments.get("plus_unit", ""))
        total += converted(more, small, unit)
        said += f" {spoken_amount(more, small)[0]}"
    result = converted(total, unit, to)
    text, rounded = spoken_amount(result, to)
    verb = "are" if amount != 1 and unit.kind == "time" else "is"
    say = f"{_first(said)} {verb} {'about ' if rounded else ''}{text}"
    if to.name == "foot" and unit.name not in _IMPERIAL and 1 <= result < 12 and result != int(result):
        say += f", or {_feet_and_inches(result)}"
    if unit.name == "year" and to.name in ("day", "hour", "minute", "second") and amount == 1:
        say += ", in a year of 365 days"
    data: dict[str, str | int | float | bool] = {
        "result": float(result),
        "unit": to.plural,
        "rounded": rounded,
    }
    return ToolResult(f"{say}.", data)


CONVERT = Tool(
    name="convert",
    description=(
        "An amount of one unit in another: length, mass, volume, temperature, speed, time, data and so on."
    ),
    parameters=schema(
        ("amount", "unit", "to"),
        amount={"type": "number"},
        unit={"type": "string", "maxLength": 60},
        to={"type": "string", "maxLength": 60},
        plus={"type": "number", "description": "what is added in a smaller unit: the 10 of 5 feet 10 inches"},
        plus_unit={"type": "string", "maxLength": 60},
    ),
    run=_run,
)
