"""Second stage, the model learns to say what it sees: python3 describe.py FOLDER MINUTES, after see.py."""

import argparse
import time

import numpy as np
import torch
from torch.nn import functional as F

from evaluate import evaluate
from model import Model, Vision
from optimizer import Optimizer
from pictures import draw
from see import seeing_loss
from talk import Tokenizer, conversation


def conversations(b, rng, tokenizer):
    """Ids [n, t], the ids that follow them where an answer is, and -100 elsewhere."""
    rows = [tokenizer.prompt(conversation(b.things(i), rng), Vision.tokens) for i in range(len(b.count))]
    longest = max(len(ids) for ids, _ in rows) - 1
    ids, labels = np.full((len(rows), longest), tokenizer.ids["<|eot|>"]), np.full((len(rows), longest), -100)
    for i, (row, answer) in enumerate(rows):
        ids[i, :len(row) - 1] = row[:-1]
        labels[i, :len(row) - 1] = np.where(answer[1:], row[1:], -100)
    return torch.from_numpy(ids), torch.from_numpy(labels)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("folder")
    args.add_argument("minutes", type=float)
    args.add_argument("--batch", type=int, default=48)
    args.add_argument("--rate", type=float, default=2e-3)
    args.add_argument("--seed", type=int, default=2)
    args.add_argument("--resume", action="store_true", help="go on from a model of this stage")
    args = args.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    rng, tokenizer = np.random.default_rng(args.seed), Tokenizer.load()
    model = Model(len(tokenizer.pieces))
    if args.resume:
        model.load_state_dict(torch.load(args.folder + "/model.pt"))
    else:
        seen = torch.load(args.folder + "/seeing.pt")
        model.load_state_dict({k: v for k, v in seen.items() if not k.startswith("decoder")}, strict=False)
    optimizer = Optimizer(list(model.named_parameters()), lambda name: 1.0 if name.startswith("decoder") else 0.4)
    print(sum(p.numel() for part in (model.encoder, model.decoder) for p in part.parameters()), "parameters", flush=True)
    asked, seen, log = 0, 0, []
    while (done := time.process_time() / 60 / args.minutes) < 1:
        b = draw(rng, args.batch)
        ids, labels = conversations(b, rng, tokenizer)
        patches, rows = model.encoder(torch.from_numpy(b.pixels))
        z = model.decoder.logits(model.decoder(ids, rows, tokenizer.ids["<|patch|>"])[labels >= 0])
        said = F.cross_entropy(z, labels[labels >= 0])
        loss, right = seeing_loss(model, patches, rows, b)
        (said + 0.1 * loss).backward()
        optimizer.step(args.rate * min(1, (optimizer.t + 1) / 50) * min(1, (1 - done) / 0.5))
        seen += args.batch
        log.append([said.item(), (z.argmax(-1) == labels[labels >= 0]).float().mean().item(), *right[3:]])
        if optimizer.t % 50 == 0:
            said, words, *right = np.mean(log[-50:], 0)
            print(f"{seen} pictures, {time.process_time():.0f} s, loss {said:.4f}, words {words:.4f}; tokens: shape {right[0]:.3f} colour {right[1]:.3f} place {right[2]:.3f}", flush=True)
        if time.process_time() - asked > 180:
            torch.save(model.state_dict(), args.folder + "/model.pt")
            score, _ = evaluate(model, tokenizer, np.random.default_rng(5), 64)
            print("  " + ", ".join(f"{name} {share:.2f}" for name, (share, _) in score.items()), flush=True)
            asked = time.process_time()
    torch.save(model.state_dict(), args.folder + "/model.pt")


if __name__ == "__main__":
    main()
