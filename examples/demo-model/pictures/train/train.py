"""Trains the model: python3 train.py FOLDER [--cpu-minutes 40] [--wall-minutes 60]. Goes on until either is over."""

import argparse
import json
import os
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import numpy as np

from model import F, Model, initial, num, ptr, real
from pictures import draw_scene, held_out, paint, targets
from talk import Tokenizer, conversation, learn_merges


def example(rng, tokenizer):
    while True:
        scene = draw_scene(rng)
        if not held_out(scene):
            break
    return paint(scene, rng), *tokenizer.prompt(conversation(scene, rng)), targets(scene)


def batch(rng, tokenizer, size):
    examples = [example(rng, tokenizer) for _ in range(size)]
    longest = max(len(ids) for _, ids, _, _ in examples)
    ids, weight = np.zeros((size, longest), np.int64), np.zeros((size, longest), F)
    for i, (_, row, answer, _) in enumerate(examples):
        ids[i, :len(row)], weight[i, :len(row)] = row, answer
    return np.stack([e[0] for e in examples]), ids, weight, np.stack([e[3] for e in examples])


def orthogonal(g):
    """The nearest half-orthogonal matrix, by five Newton-Schulz rounds."""
    x = g / (np.linalg.norm(g) + 1e-7)
    flip = x.shape[0] > x.shape[1]
    x = x.T if flip else x
    for _ in range(5):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * (a @ a)) @ x
    return x.T if flip else x


class Optimizer:
    """Muon for the matrices inside the layers, AdamW for the rest."""

    def __init__(self, model):
        self.model, self.t = model, 0
        self.m = {name: np.zeros_like(w.v) for name, w in model.w.items()}
        self.v = {name: np.zeros_like(w.v) for name, w in model.w.items() if not self.muon(name)}

    def muon(self, name):
        return self.model.w[name].v.ndim == 2 and name not in ("token_embd.weight", "v.position_embd.weight", "v.patch_embd.weight", "parts.weight")

    def step(self, rate, decay=0.02):
        self.t += 1
        norm = float(np.sqrt(sum(np.vdot(w.g, w.g) for w in self.model.w.values() if w.g is not None)))
        clip = F(min(1, 1 / (norm + 1e-6)))
        for name, w in self.model.w.items():
            if w.g is None:
                continue
            g, m = np.ascontiguousarray(w.g) * clip, self.m[name]
            if self.muon(name):
                m *= F(0.95)
                m += g
                w.v *= F(1 - rate * decay)
                w.v -= F(rate * 0.2 * max(g.shape) ** 0.5) * orthogonal(g + F(0.95) * m).astype(F)
            else:
                self.model.k.adamw(num(g.size), ptr(w.v), ptr(g), ptr(m), ptr(self.v[name]), real(rate), real(0), real(0.9), real(0.97),
                                   real(1 / (1 - 0.9 ** self.t)), real(1 / (1 - 0.97 ** self.t)))
        return norm


def main():
    args = argparse.ArgumentParser()
    args.add_argument("folder")
    args.add_argument("--cpu-minutes", type=float, default=40)
    args.add_argument("--wall-minutes", type=float, default=60)
    args.add_argument("--batch", type=int, default=32)
    args.add_argument("--resume", action="store_true", help="go on from the folder's weights")
    args.add_argument("--encoder-first", type=float, default=0.4, help="the share of the time in which the encoder learns alone")
    args.add_argument("--seed", type=int, default=20)
    args.add_argument("--rate", type=float, default=3e-3)
    args = args.parse_args()
    os.makedirs(args.folder, exist_ok=True)
    rng = np.random.default_rng(args.seed)
    texts = ["user", "assistant", "\n\n"]
    for _ in range(4000):
        for question, answer in conversation(draw_scene(rng), rng):
            texts += [question, answer]
    merges, start = os.path.join(args.folder, "merges.json"), None
    if args.resume:
        with open(merges) as f:
            tokenizer = Tokenizer([tuple(pair) for pair in json.load(f)])
        start = initial(len(tokenizer.pieces))
        start.update(np.load(os.path.join(args.folder, "weights.npz")))
    else:
        tokenizer = Tokenizer(learn_merges(texts))
        with open(merges, "w") as f:
            json.dump(tokenizer.merges, f)
    patch = tokenizer.ids["<|patch|>"]
    model = Model(start or initial(len(tokenizer.pieces)), args.folder)
    optimizer = Optimizer(model)
    print(sum(w.v.size for w in model.w.values()), "parameters,", len(tokenizer.pieces), "tokens", flush=True)
    start, saved, seen = time.time(), time.time(), 0
    losses, rights = [], []
    while True:
        done = max(time.process_time() / 60 / args.cpu_minutes, (time.time() - start) / 60 / args.wall_minutes)
        if done >= 1:
            break
        rate = args.rate * min(1, (optimizer.t + 1) / 100) * min(1, (1 - done) / 0.45)
        pictures, ids, weight, parts = batch(rng, tokenizer, args.batch)
        if done < args.encoder_first:
            loss, right = model.encoder_loss(pictures, parts), 0
        else:
            loss, right = model.loss(pictures, ids, weight, patch, parts)
        norm = optimizer.step(rate)
        seen += args.batch
        losses.append(loss)
        rights.append(right)
        if optimizer.t % 50 == 0:
            print(f"{optimizer.t} seen {seen} done {done:.3f} cpu {time.process_time():.0f}s loss {np.mean(losses[-50:]):.4f} right {np.mean(rights[-50:]):.4f} norm {norm:.2f} rate {rate:.5f}", flush=True)
        if time.time() - saved > 90:
            save(model, args.folder)
            saved = time.time()
    save(model, args.folder)
    print("finished after", seen, "pictures", flush=True)


def save(model, folder):
    path = os.path.join(folder, "weights.npz")
    np.savez(path + ".part.npz", **{name: w.v for name, w in model.w.items()})
    os.replace(path + ".part.npz", path)


if __name__ == "__main__":
    main()
