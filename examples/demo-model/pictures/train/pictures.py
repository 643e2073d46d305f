"""Pictures of coloured shapes: scenes drawn at random, and how they are painted.

A scene is a dict: kind ("one", "same", "pair", "groups"), objects [(colour, shape)], and what can be said about them.
Pictures fit a tile of 84 x 84 pixels; those that are not square get black at the right or the bottom, as the model's
preprocessing pads them.
"""

import hashlib
import math

import numpy as np

TILE = 84
SHAPES = ["circle", "square", "triangle"]
COLOURS = {
    "red": ((200, 255), (0, 55), (0, 55)),
    "green": ((0, 70), (125, 255), (0, 80)),
    "blue": ((0, 75), (0, 110), (170, 255)),
    "yellow": ((230, 255), (215, 255), (0, 70)),
    "orange": ((240, 255), (115, 172), (0, 45)),
    "purple": ((105, 170), (0, 60), (120, 200)),
}
NAMES = list(COLOURS)
ROWS, COLUMNS = ["top", "middle", "bottom"], ["left", "middle", "right"]


def held_out(scene):
    """A twelfth of all pairs and groups, told by their shapes and colours alone, never occurs in training."""
    if scene["kind"] not in ("pair", "groups"):
        return False
    key = "+".join(sorted({f"{c} {s}" for c, s in scene["objects"]}))
    return hashlib.sha256(key.encode()).digest()[0] % 12 == 0


def draw_scene(rng):
    """A random scene: objects with places; the frame is at most TILE pixels wide and high."""
    while True:
        scene = attempt(rng)
        if scene is not None:
            return scene


def attempt(rng):
    width = height = TILE
    if rng.random() < 0.3:
        short = int(rng.integers(52, TILE))
        width, height = (short, TILE) if rng.random() < 0.5 else (TILE, short)
    kind = ["one", "same", "pair", "groups"][rng.choice(4, p=[0.3, 0.2, 0.3, 0.2])]
    thing = lambda: (NAMES[rng.integers(len(NAMES))], SHAPES[rng.integers(len(SHAPES))])
    first, second = thing(), thing()
    if kind == "one":
        objects, sizes = [first], (13, 28)
    elif kind == "same":
        objects, sizes = [first] * int(rng.integers(2, 5)), (10, 15)
    elif first == second:
        return None
    elif kind == "pair":
        objects, sizes = [first, second], (11, 19)
    else:
        a, b = [(2, 1), (1, 2), (3, 1), (1, 3), (2, 2)][rng.integers(5)]
        objects, sizes = [first] * a + [second] * b, (10, 14)
    radius = rng.uniform(*sizes) * min(width, height) / TILE
    places = []
    for _ in objects:
        for _ in range(30):
            r = radius * rng.uniform(0.85, 1.15)
            x, y = rng.uniform(r + 1, width - r - 1), rng.uniform(r + 1, height - r - 1)
            if all(math.hypot(x - u, y - v) > r + s + 3 for u, v, s in places):
                places.append((x, y, r))
                break
        else:
            return None
    scene = {"kind": kind, "objects": objects, "places": places, "size": (width, height)}
    if kind == "one":
        row, column = third(places[0][1] / height), third(places[0][0] / width)
        if row is None or column is None:
            return None
        scene["where"] = (ROWS[row], COLUMNS[column])
    if kind == "pair":
        (ax, ay, _), (bx, by, _) = places
        dx, dy = abs(ax - bx), abs(ay - by)
        if abs(dx - dy) < 8 or max(dx, dy) < 20:
            return None
        scene["relation"] = "left" if dx > dy else "above"
        if (ax > bx) if dx > dy else (ay > by):
            scene["objects"], scene["places"] = objects[::-1], places[::-1]
    return scene


def third(at):
    """Which third, or None near a border between two."""
    index = min(2, int(at * 3))
    return None if min(abs(at - 1 / 3), abs(at - 2 / 3)) < 0.04 else index


def distance(shape, x, y, r, turn):
    """Signed distance in pixels to the outline, negative inside."""
    if shape == "circle":
        return np.hypot(x, y) - r * 0.95
    c, s = math.cos(turn), math.sin(turn)
    x, y = c * x + s * y, c * y - s * x
    if shape == "square":
        return np.maximum(np.abs(x), np.abs(y)) - r * 0.82
    h = math.sqrt(3) / 2
    return np.maximum(np.maximum(h * x - y / 2, -h * x - y / 2), y) - r * 0.55


def targets(scene):
    """What each of the 3 x 3 parts of the tile holds the centre of: float32 [9, shapes x colours]."""
    out = np.zeros((9, len(SHAPES) * len(NAMES)), np.float32)
    for (colour, shape), (x, y, _) in zip(scene["objects"], scene["places"]):
        out[int(y * 3 / TILE) * 3 + int(x * 3 / TILE), SHAPES.index(shape) * len(NAMES) + NAMES.index(colour)] = 1
    return out


def paint(scene, rng):
    """uint8 [TILE, TILE, 3]."""
    width, height = scene["size"]
    choice = rng.random()
    if choice < 0.35:
        ground = np.full(3, 255.0)
    elif choice < 0.65:
        ground = np.full(3, rng.uniform(150, 255)) + rng.uniform(-8, 8, 3)
    elif choice < 0.85 or (width, height) != (TILE, TILE):
        ground = np.full(3, rng.uniform(40, 110)) + rng.uniform(-8, 8, 3)
    else:
        ground = np.full(3, rng.uniform(0, 30))
    picture = np.broadcast_to(ground, (height, width, 3)).astype(np.float32).copy()
    if rng.random() < 0.2:
        picture += np.linspace(-15, 15, height, dtype=np.float32)[:, None, None] * rng.choice([-1, 1])
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) + 0.5
    smooth = rng.random() < 0.8
    shades = {}
    for (colour, shape), (cx, cy, r) in zip(scene["objects"], scene["places"]):
        if (colour, shape) not in shades or rng.random() < 0.2:
            shades[colour, shape] = np.array([rng.uniform(*bounds) for bounds in COLOURS[colour]], np.float32)
        turn = 0 if rng.random() < 0.5 else rng.uniform(-0.3, 0.3)
        d = distance(shape, x - np.float32(cx), y - np.float32(cy), r, turn)
        cover = np.clip(0.5 - d, 0, 1) if smooth else (d < 0).astype(np.float32)
        picture += cover[..., None] * (shades[colour, shape] - picture)
    if rng.random() < 0.3:
        picture += rng.normal(0, rng.uniform(1, 8), picture.shape)
    out = np.zeros((TILE, TILE, 3), np.uint8)
    out[:height, :width] = np.clip(picture + 0.5, 0, 255)
    return out
