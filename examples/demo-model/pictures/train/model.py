"""The model: Llama 4's image encoder in small, and a small dense Llama that reads its rows.

Modules carry the names that GGUF files give their tensors.
"""

import torch
from torch import nn
from torch.nn import functional as F

from pictures import NAMES, PLACES, SHAPES, TILE


class Vision:
    patch, dim, heads, layers, adapter, theta = 8, 96, 3, 4, 192, 10000.0
    grid = TILE // patch
    tokens = (grid // 2) ** 2


class Text:
    dim, heads, kv_heads, head_dim, layers, wide, theta = 128, 4, 2, 32, 4, 352, 10000.0


HEADS = [len(SHAPES) + 1, len(NAMES) + 1, len(PLACES) + 1]      # what training asks of a row; the last of each is "none"


def rotate(x, cos, sin):
    """Neighbouring pairs turn: x [n, heads, rows, head dim], cos and sin [rows, head dim / 2]."""
    a, b = x[..., ::2], x[..., 1::2]
    return torch.stack([a * cos - b * sin, a * sin + b * cos], -1).flatten(-2)


def attend(q, k, v, mask=None):
    scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
    if mask is not None:
        scores = scores + mask
    return scores.softmax(-1) @ v


def split(x, heads):
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def join(x):
    return x.transpose(1, 2).flatten(-2)


class VisionBlock(nn.Module):
    def __init__(self):
        super().__init__()
        d = Vision.dim
        self.ln1, self.ln2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.attn_q, self.attn_k, self.attn_v, self.attn_out = (nn.Linear(d, d) for _ in range(4))
        self.ffn_up, self.ffn_down = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

    def forward(self, x, cos, sin):
        h = self.ln1(x)
        q, k, v = (split(f(h), Vision.heads) for f in (self.attn_q, self.attn_k, self.attn_v))
        x = x + self.attn_out(join(attend(rotate(q, cos, sin), rotate(k, cos, sin), v)))
        return x + self.ffn_down(F.gelu(self.ffn_up(self.ln2(x))))


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        c = Vision
        self.patch_embd = nn.Linear(3 * c.patch ** 2, c.dim, bias=False)
        self.class_embd = nn.Parameter(0.1 * torch.randn(c.dim))
        self.position_embd = nn.Parameter(0.1 * torch.randn(c.grid ** 2 + 1, c.dim))
        self.pre_ln, self.post_ln = nn.LayerNorm(c.dim), nn.LayerNorm(c.dim)
        self.blk = nn.ModuleList(VisionBlock() for _ in range(c.layers))
        self.mlp1 = nn.Linear(4 * c.dim, c.adapter, bias=False)
        self.mlp2 = nn.Linear(c.adapter, c.adapter, bias=False)
        self.fc = nn.Linear(c.adapter, Text.dim, bias=False)
        pairs = c.dim // c.heads // 4
        f = c.theta ** (-torch.arange(pairs) / pairs)
        y, x = torch.meshgrid(*2 * [torch.arange(1.0, c.grid + 1)], indexing="ij")
        angles = torch.cat([x.reshape(-1, 1) * f, y.reshape(-1, 1) * f], 1)
        angles = torch.cat([angles, torch.zeros(1, 2 * pairs)])     # the class token is not turned
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def patches(self, pixels):
        """uint8 [n, TILE, TILE, 3] -> [n, grid^2, 3 patch^2]."""
        c, n = Vision, len(pixels)
        x = pixels.float() / 127.5 - 1
        return x.reshape(n, c.grid, c.patch, c.grid, c.patch, 3).permute(0, 1, 3, 5, 2, 4).reshape(n, c.grid ** 2, -1)

    def forward(self, pixels):
        """uint8 [n, TILE, TILE, 3] -> rows of the patches [n, grid^2, dim] and rows for the text model [n, tokens, text dim]."""
        c, n = Vision, len(pixels)
        x = torch.cat([self.patch_embd(self.patches(pixels)), self.class_embd.expand(n, 1, -1)], 1) + self.position_embd
        x = self.pre_ln(x)
        for block in self.blk:
            x = block(x, self.cos, self.sin)
        patches = self.post_ln(x)[:, :-1]
        half = c.grid // 2
        fours = patches.reshape(n, half, 2, half, 2, c.dim).transpose(2, 3).reshape(n, c.tokens, 4 * c.dim)
        return patches, self.fc(F.gelu(self.mlp2(F.gelu(self.mlp1(fours)))))


class Norm(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        return x * (x.square().mean(-1, keepdim=True) + 1e-5).rsqrt() * self.weight


class TextBlock(nn.Module):
    def __init__(self):
        super().__init__()
        c = Text
        linear = lambda i, o: nn.Linear(i, o, bias=False)
        self.attn_norm, self.ffn_norm = Norm(c.dim), Norm(c.dim)
        self.attn_q, self.attn_output = linear(c.dim, c.heads * c.head_dim), linear(c.heads * c.head_dim, c.dim)
        self.attn_k, self.attn_v = linear(c.dim, c.kv_heads * c.head_dim), linear(c.dim, c.kv_heads * c.head_dim)
        self.ffn_gate, self.ffn_up, self.ffn_down = linear(c.dim, c.wide), linear(c.dim, c.wide), linear(c.wide, c.dim)

    def forward(self, x, cos, sin, mask):
        c, h = Text, self.attn_norm(x)
        q, k, v = split(self.attn_q(h), c.heads), split(self.attn_k(h), c.kv_heads), split(self.attn_v(h), c.kv_heads)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        k, v = (a.repeat_interleave(c.heads // c.kv_heads, 1) for a in (k, v))
        x = x + self.attn_output(join(attend(q, k, v, mask)))
        h = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(h)) * self.ffn_up(h))


class Decoder(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        c = Text
        self.token_embd = nn.Embedding(vocabulary, c.dim)
        nn.init.normal_(self.token_embd.weight, std=0.05)
        self.blk = nn.ModuleList(TextBlock() for _ in range(c.layers))
        self.output_norm = Norm(c.dim)
        angles = torch.arange(512.0)[:, None] * c.theta ** (-torch.arange(0, c.head_dim, 2) / c.head_dim)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def forward(self, ids, rows, patch):
        """ids [n, t] with rows [n, tokens, dim] in the places of the patch tokens -> normed rows [n, t, dim]."""
        t = ids.shape[1]
        x = self.token_embd(ids)
        x = x.masked_scatter((ids == patch)[..., None], rows)
        mask = torch.full((t, t), -1e9).triu(1)
        for block in self.blk:
            x = block(x, self.cos[:t], self.sin[:t], mask)
        return self.output_norm(x)

    def logits(self, x):
        return x @ self.token_embd.weight.T


class Model(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder(vocabulary)
        self.patch_heads, self.token_heads = nn.Linear(Vision.dim, sum(HEADS)), nn.Linear(Text.dim, sum(HEADS))
