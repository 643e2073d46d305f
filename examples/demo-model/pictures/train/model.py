"""The model: Llama 4's vision tower and projector in small, and a small dense Llama that reads their rows.

Written with a tape of operations whose backward steps run in reverse. Parameters carry the names of their GGUF tensors.
"""

import ctypes
import os
import subprocess

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
F = np.float32
PARTS = 18                              # shapes x colours


class Vision:
    tile, patch, dim, heads, layers, theta = 84, 14, 128, 4, 4, 10000.0
    grid = tile // patch
    wide = 4 * dim                      # of the MLP, and of four patches side by side


class Text:
    dim, heads, kv_heads, head_dim, layers, wide, theta = 128, 4, 2, 32, 4, 352, 10000.0


def kernels(folder):
    source, library = os.path.join(HERE, "kernels.c"), os.path.join(folder, "kernels.so")
    if not os.path.exists(library) or os.path.getmtime(library) < os.path.getmtime(source):
        subprocess.run(["gcc", "-O3", "-march=native", "-mprefer-vector-width=512", "-ffast-math", "-shared", "-fPIC", "-o", library, source, "-lm"], check=True)
    return ctypes.CDLL(library)


def shapes(vocabulary):
    v, t = Vision, Text
    out = {"v.patch_embd.weight": (v.dim, 3 * v.patch ** 2), "v.class_embd": (v.dim,), "v.position_embd.weight": (v.grid ** 2 + 1, v.dim)}
    for name in ("v.pre_ln", "v.post_ln"):
        out[name + ".weight"] = out[name + ".bias"] = (v.dim,)
    for i in range(v.layers):
        b = f"v.blk.{i}."
        for name in ("ln1", "ln2"):
            out[b + name + ".weight"] = out[b + name + ".bias"] = (v.dim,)
        for name in ("attn_q", "attn_k", "attn_v", "attn_out"):
            out[b + name + ".weight"], out[b + name + ".bias"] = (v.dim, v.dim), (v.dim,)
        out[b + "ffn_up.weight"], out[b + "ffn_up.bias"] = (v.wide, v.dim), (v.wide,)
        out[b + "ffn_down.weight"], out[b + "ffn_down.bias"] = (v.dim, v.wide), (v.dim,)
    out["mm.model.mlp.1.weight"], out["mm.model.mlp.2.weight"], out["mm.model.fc.weight"] = (v.dim, v.wide), (v.dim, v.dim), (t.dim, v.dim)
    out["token_embd.weight"] = (vocabulary, t.dim)
    for i in range(t.layers):
        b = f"blk.{i}."
        out[b + "attn_norm.weight"] = out[b + "ffn_norm.weight"] = (t.dim,)
        out[b + "attn_q.weight"] = (t.heads * t.head_dim, t.dim)
        out[b + "attn_k.weight"] = out[b + "attn_v.weight"] = (t.kv_heads * t.head_dim, t.dim)
        out[b + "attn_output.weight"] = (t.dim, t.heads * t.head_dim)
        out[b + "ffn_gate.weight"] = out[b + "ffn_up.weight"] = (t.wide, t.dim)
        out[b + "ffn_down.weight"] = (t.dim, t.wide)
    out["output_norm.weight"] = (t.dim,)
    out["parts.weight"], out["parts.bias"] = (PARTS, t.dim), (PARTS,)   # for training only
    return out


def initial(vocabulary, seed=1):
    rng = np.random.default_rng(seed)
    out = {}
    for name, shape in shapes(vocabulary).items():
        if name.endswith("bias"):
            w = np.full(shape, -4.0 if name == "parts.bias" else 0.0)
        elif len(shape) == 1 and name != "v.class_embd":
            w = np.ones(shape)
        elif name in ("token_embd.weight", "v.class_embd", "v.position_embd.weight"):
            w = rng.normal(0, 0.02 if name[0] == "t" else 0.2, shape)
        else:
            small = 0.25 if name.endswith(("attn_out.weight", "attn_output.weight", "ffn_down.weight")) else 0.7
            w = rng.normal(0, small * shape[1] ** -0.5, shape)
        out[name] = w.astype(F)
    return out


class Var:
    __slots__ = ("v", "g")

    def __init__(self, v):
        self.v, self.g = v, None

    def add(self, g):
        if self.g is None:
            self.g = g
        else:
            self.g += g


def ptr(a):
    return None if a is None else a.ctypes.data_as(ctypes.c_void_p)


num, real = ctypes.c_long, ctypes.c_float


class Model:
    def __init__(self, weights, folder):
        self.k = kernels(folder)
        self.w = {name: Var(w) for name, w in weights.items()}
        v, t = Vision, Text
        f = v.theta ** (-2 * np.arange(v.dim // v.heads // 4) / (v.dim // v.heads / 2))
        y, x = np.mgrid[0:v.grid, 0:v.grid].reshape(2, -1) + 1
        angles = np.concatenate([x[:, None] * f, y[:, None] * f], 1)
        self.vision_angles = self.table(np.concatenate([angles, np.zeros((1, angles.shape[1]))]))
        f = t.theta ** (-np.arange(0, t.head_dim, 2) / t.head_dim)
        self.text_angles = self.table(np.arange(512)[:, None] * f)

    @staticmethod
    def table(angles):
        return np.cos(angles).astype(F), np.sin(angles).astype(F)

    # operations: each computes now and notes how to go back

    def linear(self, x, name, bias=True):
        w, b = self.w[name + ".weight"], self.w.get(name + ".bias") if bias else None
        flat = x.v.reshape(-1, x.v.shape[-1])
        y = flat @ w.v.T
        if b is not None:
            y += b.v
        out = Var(y.reshape(*x.v.shape[:-1], -1))
        def back():
            g = out.g.reshape(-1, out.g.shape[-1])
            w.add(g.T @ flat)
            if b is not None:
                b.add(g.sum(0))
            x.add((g @ w.v).reshape(x.v.shape))
        self.tape.append(back)
        return out

    def norm(self, x, name, centred):
        w, b = self.w[name + ".weight"], self.w[name + ".bias"] if centred else None
        n = x.v.shape[-1]
        rows = x.v.size // n
        y, mean, r = np.empty_like(x.v), np.empty(rows, F), np.empty(rows, F)
        self.k.norm(num(rows), num(n), int(centred), ptr(x.v), ptr(w.v), ptr(b.v if b else None), ptr(y), ptr(mean), ptr(r))
        out = Var(y)
        def back():
            gx, gw, gb = np.empty_like(x.v), np.zeros(n, F), np.zeros(n, F) if centred else None
            g = np.ascontiguousarray(out.g)
            self.k.norm_back(num(rows), num(n), int(centred), ptr(x.v), ptr(w.v), ptr(g), ptr(mean), ptr(r), ptr(gx), ptr(gw), ptr(gb))
            x.add(gx)
            w.add(gw)
            if centred:
                b.add(gb)
        self.tape.append(back)
        return out

    def gelu(self, x):
        out = Var(np.empty_like(x.v))
        self.k.gelu(num(x.v.size), ptr(x.v), ptr(out.v))
        def back():
            g, gx = np.ascontiguousarray(out.g), np.empty_like(x.v)
            self.k.gelu_back(num(g.size), ptr(x.v), ptr(g), ptr(gx))
            x.add(gx)
        self.tape.append(back)
        return out

    def swiglu(self, gate, up):
        out = Var(np.empty_like(up.v))
        self.k.swiglu(num(up.v.size), ptr(gate.v), ptr(up.v), ptr(out.v))
        def back():
            g, gg, gu = np.ascontiguousarray(out.g), np.empty_like(up.v), np.empty_like(up.v)
            self.k.swiglu_back(num(g.size), ptr(gate.v), ptr(up.v), ptr(g), ptr(gg), ptr(gu))
            gate.add(gg)
            up.add(gu)
        self.tape.append(back)
        return out

    def plus(self, x, y):
        out = Var(x.v + y.v)
        def back():
            x.add(out.g.copy())
            y.add(out.g)
        self.tape.append(back)
        return out

    def rotated(self, x, heads, table):
        batch, positions, width = x.v.shape
        turn = lambda a, sign: self.k.rotate(num(batch), num(positions), num(heads), num(width // heads), real(sign), ptr(table[0]), ptr(table[1]), ptr(a))
        out = Var(x.v.copy())
        turn(out.v, 1)
        def back():
            g = out.g.copy()
            turn(g, -1)
            x.add(g)
        self.tape.append(back)
        return out

    def attention(self, q, k, v, heads, kv_heads, causal):
        batch, t, width = q.v.shape
        d, group = width // heads, heads // kv_heads
        split = lambda a, n: a.reshape(batch, t, n, d).transpose(0, 2, 1, 3)
        spread = lambda a: np.repeat(split(a, kv_heads), group, 1) if group > 1 else split(a, heads)
        qh, kh, vh = split(q.v, heads), spread(k.v), spread(v.v)
        p = np.ascontiguousarray(qh @ kh.transpose(0, 1, 3, 2))
        scale = real(d ** -0.5)
        self.k.softmax(num(batch * heads), num(t), int(causal), scale, ptr(p))
        join = lambda a: np.ascontiguousarray(a.transpose(0, 2, 1, 3)).reshape(batch, t, -1)
        gather = lambda a: join(a.reshape(batch, kv_heads, group, t, d).sum(2)) if group > 1 else join(a)
        out = Var(join(p @ vh))
        def back():
            go = split(out.g, heads)
            v.add(gather(p.transpose(0, 1, 3, 2) @ go))
            gs = np.ascontiguousarray(go @ vh.transpose(0, 1, 3, 2))
            self.k.softmax_back(num(batch * heads * t), num(t), scale, ptr(p), ptr(gs))
            q.add(join(gs @ kh))
            k.add(gather(gs.transpose(0, 1, 3, 2) @ qh))
        self.tape.append(back)
        return out

    # the model

    def see(self, pictures):
        """uint8 [n, tile, tile, 3] -> rows [n, tokens, text dim]."""
        c = Vision
        n, g, p = len(pictures), c.grid, c.patch
        pixels = (pictures.astype(F) / 255 - F(0.5)) / F(0.5)
        patches = np.ascontiguousarray(pixels.reshape(n, g, p, g, p, 3).transpose(0, 1, 3, 5, 2, 4)).reshape(n, g * g, -1)
        embedded = self.linear(Var(patches), "v.patch_embd")
        kind, position = self.w["v.class_embd"], self.w["v.position_embd.weight"]
        x = Var(np.concatenate([embedded.v, np.broadcast_to(kind.v, (n, 1, c.dim))], 1) + position.v)
        def back():
            embedded.add(np.ascontiguousarray(x.g[:, :-1]))
            kind.add(x.g[:, -1].sum(0))
            position.add(x.g.sum(0))
        self.tape.append(back)
        y = self.norm(x, "v.pre_ln", True)
        for i in range(c.layers):
            b = f"v.blk.{i}."
            h = self.norm(y, b + "ln1", True)
            q, k, v = (self.linear(h, b + name) for name in ("attn_q", "attn_k", "attn_v"))
            q, k = self.rotated(q, c.heads, self.vision_angles), self.rotated(k, c.heads, self.vision_angles)
            y = self.plus(y, self.linear(self.attention(q, k, v, c.heads, c.heads, False), b + "attn_out"))
            h = self.norm(y, b + "ln2", True)
            y = self.plus(y, self.linear(self.gelu(self.linear(h, b + "ffn_up")), b + "ffn_down"))
        y = self.norm(y, "v.post_ln", True)
        half = g // 2
        square = y.v[:, :-1].reshape(n, half, 2, half, 2, c.dim).transpose(0, 1, 3, 2, 4, 5)
        shuffled = Var(np.ascontiguousarray(square).reshape(n, half * half, 4 * c.dim))
        def unshuffle():
            grad = np.zeros_like(y.v)
            grad[:, :-1] = shuffled.g.reshape(n, half, half, 2, 2, c.dim).transpose(0, 1, 3, 2, 4, 5).reshape(n, g * g, c.dim)
            y.add(grad)
        self.tape.append(unshuffle)
        z = self.gelu(self.linear(shuffled, "mm.model.mlp.1"))
        z = self.gelu(self.linear(z, "mm.model.mlp.2"))
        return self.linear(z, "mm.model.fc")

    def read(self, ids, rows, patch):
        """ids [n, t], rows in the places of the patch tokens -> logits [n, t, vocabulary]."""
        c = Text
        table = self.w["token_embd.weight"]
        x = Var(table.v[ids])
        places = ids == patch
        x.v[places] = rows.v.reshape(-1, c.dim)
        def back():
            rows.add(x.g[places].reshape(rows.v.shape))
            flat = x.g.copy()
            flat[places] = 0
            one = np.zeros((ids.size, len(table.v)), F)
            one[np.arange(ids.size), ids.ravel()] = 1
            table.add(one.T @ flat.reshape(-1, c.dim))
        self.tape.append(back)
        y = x
        for i in range(c.layers):
            b = f"blk.{i}."
            h = self.norm(y, b + "attn_norm", False)
            q, k, v = (self.linear(h, b + name) for name in ("attn_q", "attn_k", "attn_v"))
            q, k = self.rotated(q, c.heads, self.text_angles), self.rotated(k, c.kv_heads, self.text_angles)
            y = self.plus(y, self.linear(self.attention(q, k, v, c.heads, c.kv_heads, True), b + "attn_output"))
            h = self.norm(y, b + "ffn_norm", False)
            y = self.plus(y, self.linear(self.swiglu(self.linear(h, b + "ffn_gate"), self.linear(h, b + "ffn_up")), b + "ffn_down"))
        return self.linear(self.norm(y, "output_norm", False), "token_embd")

    def logits(self, pictures, ids, patch):
        self.tape = []
        return self.read(ids, self.see(pictures), patch)

    def parts_loss(self, rows, parts):
        """A second task for the encoder: each row tells what has its centre in that part of the tile. Leaves gradients."""
        out = self.linear(rows, "parts")
        p = 1 / (1 + np.exp(-out.v))
        out.g = (p - parts) / F(len(parts))
        return float(-(np.log(np.where(parts > 0, p, 1 - p) + 1e-9)).sum() / len(parts))

    def encoder_loss(self, pictures, parts):
        """Trains the encoder alone."""
        self.clear()
        loss = self.parts_loss(self.see(pictures), parts)
        self.back()
        return loss

    def clear(self):
        self.tape = []
        for w in self.w.values():
            w.g = None

    def back(self):
        while self.tape:
            self.tape.pop()()

    def loss(self, pictures, ids, weight, patch, parts=None, train=True):
        """Mean cross entropy of the weighted next tokens; with train, gradients are left in the weights."""
        self.clear()
        rows = self.see(pictures)
        if parts is not None:
            self.parts_loss(rows, parts)
        out = self.read(ids[:, :-1], rows, patch)
        z = out.v - out.v.max(-1, keepdims=True)
        np.exp(z, out=z)
        z /= z.sum(-1, keepdims=True)
        target, share = ids[:, 1:], weight[:, 1:] / weight[:, 1:].sum()
        n, t = np.indices(target.shape)
        loss = float((-np.log(z[n, t, target] + 1e-9) * share).sum())
        right = float(((z.argmax(-1) == target) * share).sum())
        if train:
            z[n, t, target] -= 1
            z *= share[..., None]
            out.g = z
            self.back()
        self.tape = []
        return loss, right
