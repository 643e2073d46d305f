"""Writes the two GGUF files: python3 export.py FOLDER OUTPUT. Matrices in F16, the rest in F32."""

import os
import struct
import sys

import numpy as np
import torch

from model import Model, Text, Vision
from pictures import TILE
from talk import SPECIAL, Tokenizer

UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
ALIGNMENT = 32


def text(s):
    b = s.encode()
    return struct.pack("<Q", len(b)) + b


def value(v):
    if isinstance(v, bool):
        return struct.pack("<I?", BOOL, v)
    if isinstance(v, int):
        return struct.pack("<II", UINT32, v)
    if isinstance(v, float):
        return struct.pack("<If", FLOAT32, v)
    if isinstance(v, str):
        return struct.pack("<I", STRING) + text(v)
    kind, pack = {str: (STRING, text), float: (FLOAT32, lambda x: struct.pack("<f", x)), int: (INT32, lambda x: struct.pack("<i", x))}[type(v[0])]
    return struct.pack("<IIQ", ARRAY, kind, len(v)) + b"".join(map(pack, v))


def write(path, metadata, tensors):
    head = struct.pack("<IIQQ", 0x46554747, 3, len(tensors), len(metadata))
    head += b"".join(text(k) + value(v) for k, v in metadata.items())
    data = b""
    for name, w in tensors.items():
        half = w.ndim == 2 and "position" not in name
        head += text(name) + struct.pack("<I", w.ndim) + b"".join(struct.pack("<Q", d) for d in w.shape[::-1])
        head += struct.pack("<IQ", int(half), len(data))
        raw = w.astype("<f2" if half else "<f4").tobytes()
        data += raw + b"\0" * (-len(raw) % ALIGNMENT)
    with open(path, "wb") as f:
        f.write(head + b"\0" * (-len(head) % ALIGNMENT) + data)


def encoder_name(name):
    """As llama.cpp's converter names tensors of Llama 4's encoder."""
    for module, tensor in (("mlp1", "mm.model.mlp.1"), ("mlp2", "mm.model.mlp.2"), ("fc", "mm.model.fc")):
        if name.startswith(module):
            return name.replace(module, tensor)
    return "v." + name + (".weight" if name == "position_embd" else "")


def main(folder, output):
    tokenizer = Tokenizer.load()
    model = Model(len(tokenizer.pieces))
    model.load_state_dict(torch.load(os.path.join(folder, "model.pt")))
    arrays = lambda part: {name: p.detach().numpy() for name, p in part.named_parameters()}
    about = {"general.license": "apache-2.0", "general.name": "Shapes"}
    v, t, c, a = Vision, Text, "clip.vision.", "llama."
    write(os.path.join(output, "mmproj-shapes-f16.gguf"), {
        "general.architecture": "clip", "general.type": "mmproj", **about,
        "clip.has_vision_encoder": True, "clip.projector_type": "llama4", "clip.use_gelu": True,
        c + "image_size": TILE, c + "patch_size": v.patch, c + "max_tiles": 1,
        c + "embedding_length": v.dim, c + "feed_forward_length": 4 * v.dim, c + "projection_dim": t.dim,
        c + "attention.head_count": v.heads, c + "block_count": v.layers,
        c + "attention.layer_norm_epsilon": 1e-5, c + "projector.scale_factor": 2,
        c + "image_mean": [0.5, 0.5, 0.5], c + "image_std": [0.5, 0.5, 0.5],
    }, {encoder_name(name): w for name, w in arrays(model.encoder).items()})
    ids = tokenizer.ids
    write(os.path.join(output, "shapes-f16.gguf"), {
        "general.architecture": "llama", "general.type": "model", **about,
        a + "context_length": 512, a + "embedding_length": t.dim, a + "block_count": t.layers, a + "feed_forward_length": t.wide,
        a + "attention.head_count": t.heads, a + "attention.head_count_kv": t.kv_heads, a + "attention.key_length": t.head_dim,
        a + "attention.value_length": t.head_dim, a + "attention.layer_norm_rms_epsilon": 1e-5, a + "rope.dimension_count": t.head_dim,
        a + "rope.freq_base": t.theta, a + "vocab_size": len(tokenizer.pieces),
        "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "llama4", "tokenizer.ggml.tokens": tokenizer.pieces,
        "tokenizer.ggml.token_type": [3 if p in SPECIAL else 1 for p in tokenizer.pieces],
        "tokenizer.ggml.merges": [f"{x} {y}" for x, y in tokenizer.merges],
        "tokenizer.ggml.bos_token_id": ids["<|begin_of_text|>"], "tokenizer.ggml.eos_token_id": ids["<|eot|>"],
        "tokenizer.ggml.eot_token_id": ids["<|eot|>"], "tokenizer.ggml.add_bos_token": True,
    }, arrays(model.decoder))


if __name__ == "__main__":
    main(*sys.argv[1:])
