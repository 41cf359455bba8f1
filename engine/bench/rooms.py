"""Rooms of the benchmark: shoeboxes by the image-source method, never used in training.

Allen and Berkley 1979, "Image method for efficiently simulating small-room acoustics". Training draws
exponential noise tails instead (``engine.training.acoustics``), so no room is shared.
"""

from dataclasses import dataclass

from engine.types import Samples


@dataclass(frozen=True)
class Room:
    """Impulse responses at 16 kHz from each source to the microphone.

    ``near``: the user; ``turned``: the user with the head turned away (weaker and duller direct sound);
    ``far``: somebody across the room; ``loudspeaker``: the assistant's own voice.
    """

    name: str
    near: Samples
    turned: Samples
    far: Samples
    loudspeaker: Samples
