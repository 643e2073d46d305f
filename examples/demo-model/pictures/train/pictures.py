"""Pictures of coloured shapes, a batch at a time: what is in them, and how they are painted.

A picture is divided into three rows and three columns of places; one to four of them hold a shape each. Pictures that
are not square get black at the right or at the bottom, as the model's preprocessing pads them.
"""

from dataclasses import dataclass

import numpy as np

TILE = 80
SHAPES = ["circle", "square", "triangle", "cross"]
COLOURS = {                             # lowest and highest red, green, blue
    "red": ((190, 0, 0), (255, 55, 55)),
    "green": ((0, 120, 0), (70, 255, 80)),
    "blue": ((0, 0, 170), (75, 110, 255)),
    "yellow": ((230, 215, 0), (255, 255, 70)),
    "orange": ((240, 115, 0), (255, 172, 45)),
    "purple": ((105, 0, 120), (170, 60, 200)),
}
NAMES = list(COLOURS)
LOWEST, HIGHEST = (np.array([c[i] for c in COLOURS.values()], np.float32) for i in (0, 1))
PLACES = ["top left", "top", "top right", "left", "middle", "right", "bottom left", "bottom", "bottom right"]
MOST = 4                                # shapes in a picture


@dataclass
class Batch:
    pixels: np.ndarray                  # uint8 [n, TILE, TILE, 3]
    cover: np.ndarray                   # float32 [n, MOST, TILE, TILE], how much of each pixel a shape covers
    centre: np.ndarray                  # float32 [n, MOST, 2], x and y in pixels
    count: np.ndarray                   # int [n], how many shapes there are; the rest of MOST is empty
    shape: np.ndarray                   # int [n, MOST]
    colour: np.ndarray                  # int [n, MOST]
    place: np.ndarray                   # int [n, MOST], in ascending order

    def things(self, i):
        """The shapes of one picture as (colour, shape, place), in reading order."""
        return [(NAMES[self.colour[i, j]], SHAPES[self.shape[i, j]], PLACES[self.place[i, j]]) for j in range(self.count[i])]


def distance(shape, x, y, r):
    """Distances in pixels from the outline, negative inside; for corners they are only good near it."""
    ax, ay = np.abs(x), np.abs(y)
    if shape == "circle":
        return np.hypot(x, y) - 0.95 * r
    if shape == "square":
        return np.maximum(ax, ay) - 0.85 * r
    if shape == "triangle":
        return np.maximum(0.894 * ax - 0.447 * (y + 0.95 * r), y - 0.85 * r)
    arm = 0.3 * r
    return np.minimum(np.maximum(ax - r, ay - arm), np.maximum(ax - arm, ay - r))


def draw(rng, n):
    """n random pictures."""
    width = np.full(n, TILE)
    height = np.full(n, TILE)
    short = rng.integers(TILE * 2 // 3, TILE, n)
    form = rng.choice(3, n, p=[0.6, 0.25, 0.15])        # square, wide, high
    height[form == 1], width[form == 2] = short[form == 1], short[form == 2]
    count = rng.integers(1, MOST + 1, n)
    exists = np.arange(MOST) < count[:, None]
    place = np.argsort(rng.random((n, 9)), 1)[:, :MOST]
    place = np.sort(np.where(exists, place, 9), 1)
    shape, colour = rng.integers(0, len(SHAPES), (n, MOST)), rng.integers(0, len(NAMES), (n, MOST))
    same = rng.random((n, MOST)) < 0.25                 # as the first one, so that there is something to count
    shape, colour = np.where(same, shape[:, :1], shape), np.where(rng.permutation(same), colour[:, :1], colour)
    cell = np.stack([width, height], 1)[:, None] / 3    # [n, 1, 2]
    radius = cell.min(2) * rng.uniform(0.30, 0.46, (n, MOST))
    room = np.maximum(cell / 2 - radius[..., None], 0) + 1.5
    corner = np.stack([place % 3, place // 3], 2)
    centre = (corner + 0.5) * cell + rng.uniform(-1, 1, (n, MOST, 2)) * room
    turn = np.where(rng.random((n, MOST)) < 0.5, 0, rng.uniform(-0.25, 0.25, (n, MOST)))
    pixels, cover = paint(rng, width, height, exists, shape, colour, centre, radius, turn)
    return Batch(pixels, cover, centre, count, shape, colour, place)


def paint(rng, width, height, exists, shape, colour, centre, radius, turn):
    n = len(width)
    column = lambda a: np.asarray(a, np.float32).reshape(n, 1, 1, 1)
    grey = np.select([rng.random(n) < p for p in (0.35, 0.5, 0.75)], [np.full(n, 255), rng.uniform(150, 255, n), rng.uniform(40, 110, n)], rng.uniform(0, 30, n))
    grey = np.where((grey < 40) & ((width < TILE) | (height < TILE)), 200, grey)    # else the frame could not be seen
    ground = column(grey) + rng.uniform(-8, 8, (n, 1, 1, 3)).astype(np.float32)
    slope = rng.uniform(-20, 20, n) * (rng.random(n) < 0.25)
    pixels = ground + column(slope) * np.linspace(-0.5, 0.5, TILE, dtype=np.float32)[None, :, None, None] + np.zeros((TILE, 1), np.float32)
    cover = np.zeros((n, MOST, TILE, TILE), np.float32)
    for i, j in zip(*np.nonzero(exists)):
        (cx, cy), r = centre[i, j], radius[i, j]
        x0, y0 = max(0, int(cx - 1.3 * r)), max(0, int(cy - 1.3 * r))
        area = np.s_[y0:min(height[i], int(cy + 1.3 * r) + 2), x0:min(width[i], int(cx + 1.3 * r) + 2)]
        y, x = np.mgrid[area].astype(np.float32) + 0.5
        x, y, c, s = x - np.float32(cx), y - np.float32(cy), np.float32(np.cos(turn[i, j])), np.float32(np.sin(turn[i, j]))
        d = distance(SHAPES[shape[i, j]], c * x + s * y, c * y - s * x, np.float32(r))
        edge = np.float32(rng.uniform(0.6, 2))
        cover[i, j][area] = np.clip(0.5 - d / edge, 0, 1)
        shade = rng.uniform(LOWEST[colour[i, j]], HIGHEST[colour[i, j]]).astype(np.float32)
        pixels[i][area] += cover[i, j][area][..., None] * (shade - pixels[i][area])
    for i in np.nonzero(rng.random(n) < 0.3)[0]:
        pixels[i] += np.float32(rng.uniform(0, 8)) * rng.standard_normal(pixels[i].shape, np.float32)
    for i in range(n):
        pixels[i, height[i]:], pixels[i, :, width[i]:] = 0, 0
    return np.clip(pixels + 0.5, 0, 255).astype(np.uint8), cover
