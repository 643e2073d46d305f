"""Muon for the matrices inside the layers (Jordan 2024), Adam for the rest."""

import torch


def orthogonal(g):
    """The nearest half-orthogonal matrix, roughly, by five Newton-Schulz rounds."""
    x = g / (g.norm() + 1e-7)
    flip = x.shape[0] > x.shape[1]
    x = x.T if flip else x
    for _ in range(5):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x.T if flip else x


class Optimizer:
    def __init__(self, named, factor=lambda name: 1.0):
        self.t, self.named, self.factor = 0, named, factor
        self.m = [torch.zeros_like(p) for _, p in named]
        self.v = [torch.zeros_like(p) for _, p in named]

    @torch.no_grad()
    def step(self, rate, decay=0.02):
        self.t += 1
        norm = sum(p.grad.square().sum() for _, p in self.named if p.grad is not None).sqrt()
        clip = min(1.0, 1 / (norm.item() + 1e-6))
        for (name, p), m, v in zip(self.named, self.m, self.v):
            if p.grad is None:
                continue
            g, r = p.grad * clip, rate * self.factor(name)
            if p.ndim == 2 and "embd" not in name and p.shape[0] > 64:
                m.mul_(0.95).add_(g)
                p.mul_(1 - r * decay).sub_(orthogonal(g + 0.95 * m), alpha=r * 0.2 * max(p.shape) ** 0.5)
            else:
                m.lerp_(g, 0.1)
                v.lerp_(g.square(), 0.03)
                p.sub_(r * m / (1 - 0.9 ** self.t) / ((v / (1 - 0.97 ** self.t)).sqrt() + 1e-8))
            p.grad = None
