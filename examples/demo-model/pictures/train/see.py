"""First stage, the encoder learns to see: python3 see.py FOLDER MINUTES [--seed 1].

Each row of the tower must tell which shape of which colour covers its patch and in which of the nine places that stands, and
each row of the adapter what has its centre in its four patches. This is a hundred times more to learn from a picture than
a sentence about it. The heads that tell it are not part of the model.
"""

import argparse
import time

import numpy as np
import torch
from torch.nn import functional as F

from model import HEADS, Model, Vision
from optimizer import Optimizer
from pictures import MOST, NAMES, PLACES, SHAPES, TILE, draw

NONE = [len(SHAPES), len(NAMES), len(PLACES)]


def targets(b):
    """Labels (shape, colour, place) of all patches [n, grid^2, 3] and all tokens [n, tokens, 3]."""
    n, g, p = len(b.count), Vision.grid, Vision.patch
    kinds = np.stack([b.shape, b.colour, b.place], 2)                               # [n, MOST, 3]
    share = b.cover.reshape(n, MOST, g, p, g, p).mean((3, 5)).reshape(n, MOST, -1)  # of each patch
    which = share.argmax(1)                                                         # [n, grid^2]
    patches = np.take_along_axis(kinds, which[..., None].repeat(3, 2), 1)
    patches[share.max(1) < 0.1] = NONE
    tokens = np.tile(NONE, (n, Vision.tokens, 1))
    at = np.clip(b.centre // (2 * p), 0, g // 2 - 1).astype(int)
    for j in range(MOST):
        i = np.nonzero(b.count > j)[0]
        tokens[i, at[i, j, 1] * (g // 2) + at[i, j, 0]] = kinds[i, j]
    return torch.from_numpy(patches), torch.from_numpy(tokens)


def heads_loss(logits, labels):
    """Cross entropy; and how often each label is right where there is something."""
    loss, right = 0, []
    for i, z in enumerate(logits.flatten(0, 1).split(HEADS, -1)):
        y = labels[..., i].flatten()
        loss = loss + F.cross_entropy(z, y)
        there = y != NONE[i]
        right.append((z.argmax(-1) == y)[there].float().mean().item())
    return loss, right


def seeing_loss(model, patches, tokens, b):
    patch_labels, token_labels = targets(b)
    first, by_patch = heads_loss(model.patch_heads(patches), patch_labels)
    second, by_token = heads_loss(model.token_heads(tokens), token_labels)
    return first + 2 * second, by_patch + by_token


@torch.no_grad()
def whiten(encoder, pixels):
    """Begins with the principal components of patches, all equally strong, so that edges count as much as colours."""
    patches = encoder.patches(torch.from_numpy(pixels)).flatten(0, 1)
    centred = patches - patches.mean(0)
    variances, directions = torch.linalg.eigh(centred.T @ centred / len(centred))
    best = slice(-Vision.dim, None)
    encoder.patch_embd.weight.copy_((directions[:, best] / (variances[best] + 0.003).sqrt()).T)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("folder")
    args.add_argument("minutes", type=float)
    args.add_argument("--batch", type=int, default=64)
    args.add_argument("--rate", type=float, default=3e-3)
    args = args.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    rng = np.random.default_rng(1)
    model = Model(1)
    whiten(model.encoder, draw(rng, 200).pixels)
    parts = [model.encoder, model.patch_heads, model.token_heads]
    optimizer = Optimizer([(n, p) for part in parts for n, p in part.named_parameters()])
    print(sum(p.numel() for p in model.encoder.parameters()), "parameters", flush=True)
    seen, log = 0, []
    while (done := time.process_time() / 60 / args.minutes) < 1:
        b = draw(rng, args.batch)
        loss, right = seeing_loss(model, *model.encoder(torch.from_numpy(b.pixels)), b)
        loss.backward()
        optimizer.step(args.rate * min(1, (optimizer.t + 1) / 50) * min(1, (1 - done) / 0.5))
        seen += args.batch
        log.append([loss.item(), *right])
        if optimizer.t % 50 == 0:
            loss, *right = np.mean(log[-50:], 0)
            print(f"{seen} pictures, {time.process_time():.0f} s, loss {loss:.3f}; patches: shape {right[0]:.3f} colour {right[1]:.3f} place {right[2]:.3f}; tokens: shape {right[3]:.3f} colour {right[4]:.3f} place {right[5]:.3f}", flush=True)
            torch.save(model.state_dict(), args.folder + "/seeing.pt")
    torch.save(model.state_dict(), args.folder + "/seeing.pt")


if __name__ == "__main__":
    main()
