"""Compares gradients with differences of the loss: python3 check_gradients.py FOLDER."""

import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import numpy as np

from model import Model, initial
from pictures import draw_scene
from talk import Tokenizer, conversation, learn_merges
from train import batch

rng = np.random.default_rng(3)
tokenizer = Tokenizer(learn_merges([t for _ in range(50) for turn in conversation(draw_scene(rng), rng) for t in turn] + ["user", "assistant", "\n\n"]))
model = Model(initial(len(tokenizer.pieces)), sys.argv[1])
data = batch(rng, tokenizer, 4)
patch = tokenizer.ids["<|patch|>"]
model.loss(*data[:3], patch)
grads = {name: w.g.copy() for name, w in model.w.items() if w.g is not None}
worst = 0
for name, w in model.w.items():
    if name not in grads:
        continue
    direction = grads[name] / (np.linalg.norm(grads[name]) + 1e-12)
    size = min(0.003 / (np.linalg.norm(grads[name]) + 1e-4), 0.05 * max(np.linalg.norm(w.v), 1))  # loss differs by about 0.006
    before = w.v.copy()
    w.v = before + np.float32(size) * direction
    up, _ = model.loss(*data[:3], patch, train=False)
    w.v = before - np.float32(size) * direction
    down, _ = model.loss(*data[:3], patch, train=False)
    w.v = before
    found, expected = (up - down) / (2 * size), np.linalg.norm(grads[name])
    error = abs(found - expected) / (expected + 3e-3)
    worst = max(worst, error)
    if error > 0.03:
        print(f"{name}: gradient {expected:.5f}, difference {found:.5f}")
print("worst relative error", worst)
