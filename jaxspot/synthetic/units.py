"""Expression units: named mixes of the 52 ARKit-style face units."""


def both(name: str, amount: float = 1.0) -> dict[str, float]:
    """The left and the right form of a face unit, equally strong."""
    return {f"{name}Left": amount, f"{name}Right": amount}


def smile(side: str, amount: float = 1.0) -> dict[str, float]:
    """A smile on one side: corner up and out, cheek raised, lower lid up."""
    parts = {"mouthSmile": 0.8, "cheekSquint": 0.75, "eyeSquint": 0.45, "mouthDimple": 0.2}
    return {f"{name}{side}": amount * weight for name, weight in parts.items()}


EXPRESSIONS: dict[str, dict[str, float]] = {
    "smile": smile("Left") | smile("Right"),
    "smile_open": smile("Left") | smile("Right") | both("mouthUpperUp", 0.5)
    | both("mouthLowerDown", 0.5) | {"jawOpen": 0.06},
    "smile_left": smile("Left") | smile("Right", 0.12),
    "smile_right": smile("Right") | smile("Left", 0.12),
    "smile_slight": both("mouthSmile", 0.55) | both("cheekSquint", 0.2),
    "brow_raise": both("browOuterUp") | {"browInnerUp": 1.0} | both("eyeWide", 0.3),
    "brow_raise_inner": {"browInnerUp": 1.3},
    "brow_raise_outer": both("browOuterUp", 1.25),
    "brow_raise_left": {"browOuterUpLeft": 1.2, "browInnerUp": 0.35},
    "brow_raise_right": {"browOuterUpRight": 1.2, "browInnerUp": 0.35},
    "brow_lower": both("browDown", 1.1) | both("eyeSquint", 0.2),
    "nose_wrinkle": both("noseSneer", 1.2) | both("browDown", 0.4) | both("mouthUpperUp", 0.3),
    "sneer_left": {"noseSneerLeft": 1.2, "mouthUpperUpLeft": 0.7},
    "sneer_right": {"noseSneerRight": 1.2, "mouthUpperUpRight": 0.7},
    "upper_lip_raise": both("mouthUpperUp", 1.1) | both("noseSneer", 0.4),
    "lower_lip_depress": both("mouthLowerDown", 1.4),
    "lip_corner_depress": both("mouthFrown", 1.1) | {"mouthShrugLower": 0.3},
    "lip_press": both("mouthPress", 1.1) | {"mouthRollUpper": 0.25, "mouthRollLower": 0.25},
    "lip_stretch": both("mouthStretch", 1.2),
    "lip_suck": {"mouthRollUpper": 0.9, "mouthRollLower": 1.1},
    "pucker": {"mouthPucker": 1.0},
    "funnel": {"mouthFunnel": 0.8, "jawOpen": 0.05},
    "chin_raise": {"mouthShrugLower": 1.5, "mouthShrugUpper": 1.0},
    "squint": both("eyeSquint", 1.2) | both("cheekSquint", 0.4),
    "cheek_raise": both("cheekSquint", 1.1),
    "dimple": both("mouthDimple", 1.2),
    "dimple_left": {"mouthDimpleLeft": 1.2},
    "dimple_right": {"mouthDimpleRight": 1.2},
    "cheek_puff": {"cheekPuff": 0.9},
    "jaw_drop": {"jawOpen": 0.22},
    "lid_raise": both("eyeWide", 1.4) | {"browInnerUp": 0.3} | both("browOuterUp", 0.3),
    "surprise": both("browOuterUp") | {"browInnerUp": 1.0, "jawOpen": 0.15} | both("eyeWide", 0.8),
}  # fmt: skip
"""What labelled events are made of, each at intensity 1."""

DISTRACTIONS: dict[str, dict[str, float]] = {
    "blink": both("eyeBlink"),
    "gaze_left": {"eyeLookOutLeft": 0.8, "eyeLookInRight": 0.8},
    "gaze_right": {"eyeLookInLeft": 0.8, "eyeLookOutRight": 0.8},
    "gaze_up": both("eyeLookUp", 0.9),
    "gaze_down": both("eyeLookDown", 0.9),
    "speech_open": {"jawOpen": 0.28} | both("mouthLowerDown", 0.3),
    "speech_round": {"mouthFunnel": 0.5, "mouthPucker": 0.3, "jawOpen": 0.1},
    "speech_roll": {"mouthRollLower": 0.5, "mouthRollUpper": 0.2},
    "jaw_side": {"jawLeft": 0.5},
}
"""What moves without a label."""

UNITS = EXPRESSIONS | DISTRACTIONS
