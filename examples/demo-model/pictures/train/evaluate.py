"""Asks about new pictures and counts what is right: python3 evaluate.py FOLDER [PICTURES]."""

import re
import sys
from collections import defaultdict

import numpy as np
import torch

from model import Model, Vision
from pictures import draw
from talk import NUMBERS, Tokenizer, description, questions

THING = re.compile(r"\ban? (\w+) (\w+) ((?:in the|on the|at the) \w+(?: \w+)?)")


@torch.no_grad()
def answers(model, tokenizer, pixels, asked):
    """The most probable answer, token by token, to each picture's question."""
    patch, end = tokenizer.ids["<|patch|>"], tokenizer.ids["<|eot|>"]
    prompts = [tokenizer.prompt([(question, None)], Vision.tokens)[0] for question in asked]
    _, rows = model.encoder(torch.from_numpy(pixels))
    out = [[] for _ in prompts]
    for _ in range(64):
        longest = max(map(len, prompts))
        x = model.decoder(torch.tensor([p + [end] * (longest - len(p)) for p in prompts]), rows, patch)
        last = model.decoder.logits(x[range(len(prompts)), [len(p) - 1 for p in prompts]]).argmax(-1).tolist()
        for p, o, token in zip(prompts, out, last):
            if end not in o:
                o.append(token)
                p.append(token)
        if all(end in o for o in out):
            break
    return [tokenizer.decode(t for t in o if t < len(tokenizer.pieces) - 12) for o in out]


def compare(score, things, answer):
    """Counts what a description says of each thing; things are compared in their order."""
    found = [m.groups() for m in THING.finditer(answer)]
    expected = [m.groups() for m in THING.finditer(description(things))]
    count = next((n for n, word in enumerate(NUMBERS) if answer.lower().startswith(word)), -1)
    for name, right in [("count", count == len(things) == len(found)), ("description", answer == description(things))]:
        score[name] += [right]
    for i, e in enumerate(expected):
        f = found[i] if i < len(found) else ("", "", "")
        for name, x, y in zip(("colour", "shape", "place"), f, e):
            score[name] += [x == y]


def evaluate(model, tokenizer, rng, count):
    score, wrong = defaultdict(list), []
    for _ in range(count // 64):
        b = draw(rng, 64)
        things = [b.things(i) for i in range(64)]
        for t, answer in zip(things, answers(model, tokenizer, b.pixels, ["Describe the picture."] * 64)):
            compare(score, t, answer)
            if answer != description(t):
                wrong.append(f"expected {description(t)}\n   found {answer}")
        pairs = [q[rng.integers(len(q))] for q in (questions(t, rng) for t in things)]
        for (question, expected), answer in zip(pairs, answers(model, tokenizer, b.pixels, [q for q, _ in pairs])):
            score["'" + " ".join(question.split()[:2]) + "'"] += [answer == expected]
    return {name: (np.mean(list), len(list)) for name, list in score.items()}, wrong


def main(folder, count="1024"):
    torch.set_num_threads(1)
    tokenizer = Tokenizer.load()
    model = Model(len(tokenizer.pieces))
    model.load_state_dict(torch.load(folder + "/model.pt"))
    score, wrong = evaluate(model, tokenizer, np.random.default_rng(987654321), int(count))
    for name, (share, n) in score.items():
        print(f"{name:16} {100 * share:5.1f} % of {n}")
    print("\n".join(wrong[:10]))


if __name__ == "__main__":
    main(*sys.argv[1:])
