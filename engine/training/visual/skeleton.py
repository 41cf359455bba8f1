"""From a pose to joints in space: forward kinematics of the trunk and arms, inverse kinematics of the legs.

World: metres, x to the camera's right, y up, z towards the camera; a person whose ``yaw`` is 0 faces it.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.training.visual.look import Body
from engine.training.visual.pose import INDEX, LEFT, RIGHT, SIDE, Pose

Vector = NDArray[np.float64]
_UP, _BACK, _SHIFT = INDEX["up"], INDEX["back"], INDEX["shift"]
_PITCH, _ROLL, _TWIST, _SLOUCH = INDEX["pitch"], INDEX["roll"], INDEX["twist"], INDEX["slouch"]
_HEAD = INDEX["head_yaw"]
_BELOW = np.array([0.5, -0.8, -0.35])


@dataclass(frozen=True)
class Joints:
    """Places (3,) in metres and bases (3, 3), whose columns are left, up and forward."""

    pelvis: Vector
    waist: Vector
    chest: Vector
    neck: Vector
    head: Vector
    hips: tuple[Vector, Vector]
    knees: tuple[Vector, Vector]
    ankles: tuple[Vector, Vector]
    toes: tuple[Vector, Vector]
    shoulders: tuple[Vector, Vector]
    elbows: tuple[Vector, Vector]
    wrists: tuple[Vector, Vector]
    palms: tuple[Vector, Vector]  # (3, 3): thumb's side, fingers, out of the palm
    root: Vector
    lower: Vector
    trunk: Vector
    skull: Vector


def turned(yaw: float) -> Vector:
    """Rotation about the vertical: forward turns to the left."""
    c, s = math.cos(yaw), math.sin(yaw)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def _tilted(pitch: float, roll: float) -> Vector:
    c, s, cr, sr = math.cos(pitch), math.sin(pitch), math.cos(roll), math.sin(roll)
    # Up turns forward by the pitch, then the body falls to its left by the roll.
    return np.array([[cr, sr, 0.0], [-c * sr, c * cr, -s], [-s * sr, s * cr, c]])


def cross(a: Vector, b: Vector) -> Vector:
    """The cross product of two vectors, quicker than numpy's."""
    ax, ay, az = a.tolist()
    bx, by, bz = b.tolist()
    return np.array([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])


def unit(a: Vector) -> Vector:
    """The vector with length one."""
    return a / max(math.sqrt(float(a @ a)), 1e-9)


def two_bones(
    start: Vector, target: Vector, first: float, second: float, pole: Vector
) -> tuple[Vector, Vector]:
    """Where the middle joint and the end of two bones are; the middle is bent towards ``pole``.

    A target out of reach is approached as far as the bones go.
    """
    way = target - start
    far = math.sqrt(float(way @ way))
    along = way / max(far, 1e-9)
    far = min(max(far, abs(first - second) + 1e-3), (first + second) * 0.999)
    x = (first * first - second * second + far * far) / (2 * far)
    height = math.sqrt(max(first * first - x * x, 0.0))
    side = unit(pole - along * float(pole @ along))
    return start + along * x + side * height, start + along * far


def _arm(
    p: list[float], out: float, body: Body, neck: Vector, shoulder: Vector, trunk: Vector
) -> tuple[Vector, Vector, Vector]:
    """Elbow, wrist, and the hand's basis."""
    lift, plane, bend, spin = p[0], p[1], p[2], p[3]
    sl, cl, sp, cp = math.sin(lift), math.cos(lift), math.sin(plane), math.cos(plane)
    upper = np.array([out * sl * sp, -cl, sl * cp])
    flex = np.array([out * cl * sp, sl, cl * cp])
    if spin:
        flex = math.cos(spin) * flex + math.sin(spin) * out * cross(upper, flex)
    fore = math.cos(bend) * upper + math.sin(bend) * flex
    elbow = shoulder + trunk @ upper * body.upper_arm
    wrist = elbow + trunk @ fore * body.forearm
    reach = p[SIDE["reach"]]
    if reach > 0.01:
        place = np.array([out * p[5], p[6], p[7]]) * (body.upper_arm + body.forearm)
        target = wrist + (neck + trunk @ place - wrist) * reach
        pole = trunk @ (_BELOW * (out, 1.0, 1.0)) * reach + (elbow - shoulder) * (1.5 * (1.0 - reach))
        elbow, wrist = two_bones(shoulder, target, body.upper_arm, body.forearm, pole)
    finger = unit(wrist - elbow)
    palm = p[SIDE["palm"]]
    normal = trunk @ np.array([-out * (1.0 - abs(palm)), 0.0, palm])
    normal = unit(normal - finger * float(normal @ finger))
    return elbow, wrist, np.stack([cross(normal, finger) * out, finger, normal], axis=1)


def joints(p: Pose, body: Body, place: tuple[float, float], yaw: float) -> Joints:
    """The joints of ``body`` in pose ``p``, its feet's middle at ``place`` (x, z)."""
    root = turned(yaw)
    foot = np.array([place[0], 0.0, place[1]])
    leg = body.thigh + body.shin
    tall = max(p[_UP] * leg, 0.06) + body.ankle
    pelvis = foot + root @ np.array([p[_SHIFT] * leg, tall, p[_BACK] * leg])
    slouch = float(p[_SLOUCH])
    lower = root @ turned(p[_TWIST]) @ _tilted(p[_PITCH] - 0.15 * slouch, p[_ROLL])
    trunk = lower @ _tilted(0.55 * slouch, 0.0) if slouch else lower
    waist = pelvis + lower[:, 1] * (0.38 * body.trunk)
    chest = waist + (0.5 * lower[:, 1] + 0.5 * trunk[:, 1]) * (0.34 * body.trunk)
    neck = chest + trunk[:, 1] * (0.28 * body.trunk)
    skull = trunk @ turned(p[_HEAD]) @ _tilted(p[_HEAD + 1] - 0.25 * slouch, p[_HEAD + 2])
    head = neck + trunk[:, 1] * body.neck + trunk[:, 2] * (0.02 + 0.05 * slouch) + skull[:, 1] * body.head[1]
    sides = []
    for out, first in ((1.0, LEFT), (-1.0, RIGHT)):
        values = p[first : first + len(SIDE)].tolist()
        shoulder = neck + trunk[:, 0] * (out * body.shoulder) - trunk[:, 1] * (0.03 + 0.03 * slouch)
        hip = pelvis + lower[:, 0] * (out * body.hip)
        ankle = foot + root @ np.array(
            [out * values[SIDE["fx"]] * leg, values[SIDE["fy"]] * leg + body.ankle, values[SIDE["fz"]] * leg]
        )
        knee, ankle = two_bones(hip, ankle, body.thigh, body.shin, root @ np.array([out * 0.25, 0.3, 1.0]))
        toe_pitch = values[SIDE["toe"]]
        step = np.array([out * 0.2, -math.sin(toe_pitch), math.cos(toe_pitch)]) * body.foot
        elbow, wrist, palm = _arm(values, out, body, neck, shoulder, trunk)
        toe = ankle + root @ step - np.array([0.0, 0.6 * body.ankle, 0.0])
        sides.append((hip, knee, ankle, toe, shoulder, elbow, wrist, palm))
    pairs = tuple(zip(*sides, strict=True))
    hips, knees, ankles, toes, shoulders, elbows, wrists, palms = pairs
    return Joints(
        pelvis, waist, chest, neck, head, hips, knees, ankles, toes, shoulders, elbows, wrists, palms,
        root, lower, trunk, skull,
    )  # fmt: skip
