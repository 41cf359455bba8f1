"""How people look: proportions of the body, skin, hair, face, clothes."""

from dataclasses import dataclass

from engine.training.visual.splits import Colour, Rng, Split, hsv, mixed

_SKIN = ((246, 223, 203), (229, 190, 160), (203, 152, 112), (160, 108, 72), (112, 72, 48), (68, 44, 34))
"""After the range of the Monk skin tone scale (Monk 2019, skintone.google)."""


@dataclass(frozen=True)
class Body:
    """Lengths and half-widths in metres, after the segment lengths of Drillis and Contini (1966)."""

    thigh: float
    shin: float
    ankle: float
    foot: float
    trunk: float
    neck: float
    head: tuple[float, float, float]  # half width, half height, half depth
    shoulder: float
    hip: float
    upper_arm: float
    forearm: float
    hand: float
    girth: float
    waist: float
    chest: float

    @property
    def leg(self) -> float:
        return self.thigh + self.shin


@dataclass(frozen=True)
class Look:
    """Colours and kinds of what is seen of a person."""

    skin: Colour
    hair: Colour
    hair_style: str
    beard: bool
    glasses: bool
    lips: Colour
    iris: Colour
    brows: float
    eye: float
    mouth: float
    nose: float
    shirt: Colour
    shirt_print: Colour
    pattern: str
    sleeves: float  # 0 none, 0.5 to the elbow, 1 to the wrist
    trousers: Colour
    legs: float  # 0.4 shorts, 1 long
    skirt: bool
    shoes: Colour


def draw_body(rng: Rng, split: Split) -> Body:
    """A grown person of 1.48 to 1.98 m, thin or stout, long-limbed or short-limbed."""
    tall = split.number(rng, "stature", 1.48, 1.98)
    legs = split.number(rng, "legs", 0.94, 1.07)
    girth = split.number(rng, "girth", 0.75, 1.5)
    width = split.number(rng, "shoulders", 0.88, 1.12)
    hips = split.number(rng, "hips", 0.88, 1.2)
    arms = split.number(rng, "arms", 0.93, 1.07)
    head = split.number(rng, "head", 0.92, 1.1)
    wide = split.number(rng, "face", 0.9, 1.12)
    return Body(
        thigh=0.243 * tall * legs,
        shin=0.243 * tall * legs,
        ankle=0.039 * tall,
        foot=0.11 * tall,
        trunk=0.295 * tall * (2.0 - legs),
        neck=0.042 * tall,
        head=(0.046 * tall * head * wide, 0.066 * tall * head, 0.056 * tall * head),
        shoulder=0.1 * tall * width,
        hip=0.052 * tall * hips,
        upper_arm=0.181 * tall * arms,
        forearm=0.146 * tall * arms,
        hand=0.064 * tall * arms,
        girth=0.0132 * tall * girth**0.75,
        waist=0.078 * tall * girth**0.8 * (0.5 + 0.5 * hips),
        chest=0.095 * tall * width * girth**0.3,
    )


def draw_look(rng: Rng, split: Split) -> Look:
    """Skin, hair and clothes, of this split's colours."""
    tone = split.number(rng, "skin", 0.0, len(_SKIN) - 1.0)
    skin = mixed(_SKIN[int(tone)], _SKIN[int(tone) + 1], tone - int(tone))
    natural = split.number(rng, "hair", 0.0, 1.0)
    if rng.random() < 0.08:
        hair = split.colour(rng, "dyed hair", grey=0.0)
    elif rng.random() < 0.15:
        hair = hsv(0.1, 0.05, 0.5 + 0.45 * natural)
    else:
        hair = hsv(0.05 + 0.06 * natural, 0.35 + 0.3 * natural, 0.06 + 0.7 * natural**1.6)
    style = split.kind(rng, ("short", "long", "bald", "bun", "fringe"), ("cap", "bob", "curly"))
    shirt = split.colour(rng, "shirt")
    return Look(
        skin=skin,
        hair=hair,
        hair_style=style,
        beard=style in ("short", "bald", "cap") and rng.random() < 0.35,
        glasses=rng.random() < 0.3,
        lips=mixed(skin, (150, 30, 50), float(rng.uniform(0.2, 0.7))),
        iris=hsv(float(rng.uniform(0.05, 0.6)), 0.5, float(rng.uniform(0.15, 0.5))),
        brows=float(rng.uniform(0.5, 1.5)),
        eye=split.number(rng, "eye", 0.8, 1.25),
        mouth=split.number(rng, "mouth", 0.8, 1.25),
        nose=split.number(rng, "nose", 0.7, 1.3),
        shirt=shirt,
        shirt_print=split.colour(rng, "print"),
        pattern=split.kind(rng, ("plain", "plain", "stripes", "badge"), ("open jacket", "halves", "dots")),
        sleeves=float(rng.choice([0.0, 0.5, 1.0], p=[0.15, 0.45, 0.4])),
        trousers=split.colour(rng, "trousers", grey=0.5),
        legs=float(rng.choice([0.45, 1.0], p=[0.35, 0.65])),
        skirt=style in ("long", "bun", "bob") and rng.random() < 0.2,
        shoes=split.colour(rng, "shoes", grey=0.7),
    )
