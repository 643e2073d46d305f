"""What is said about pictures: questions with their true answers, and the tokenizer and chat format they are written in."""

import json
import os
import re

from pictures import NAMES, PLACES, SHAPES

NUMBERS = ["none", "one", "two", "three", "four"]
DESCRIBE = ["Describe the picture.", "What is in the picture?", "What do you see?"]
SPECIAL = ["<|begin_of_text|>", "<|end_of_text|>", "<|header_start|>", "<|header_end|>", "<|eom|>", "<|eot|>",
           "<|image_start|>", "<|image_end|>", "<|tile_x_separator|>", "<|tile_y_separator|>", "<|image|>", "<|patch|>"]


def a(colour, shape):
    return f"{'an' if colour[0] in 'aeiou' else 'a'} {colour} {shape}"


def at(place):
    return {"middle": "in the middle", "left": "on the left", "right": "on the right"}.get(place, f"at the {place}")


def listed(parts):
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def sentence(text):
    return text[0].upper() + text[1:] + "."


def description(things):
    """things: (colour, shape, place) in reading order, as in all that follows."""
    count = f"{NUMBERS[len(things)].capitalize()} shape{'s' if len(things) > 1 else ''}: "
    return count + listed([f"{a(c, s)} {at(p)}" for c, s, p in things]) + "."


def plural(shape):
    return shape + ("es" if shape == "cross" else "s")


def questions(things, rng):
    """Questions with their answers, one of each sort that fits."""
    some = lambda list: list[rng.integers(len(list))]
    colour, shape, place = some(things) if rng.random() < 0.7 else (some(NAMES), some(SHAPES), some(PLACES))
    of_colour, of_shape = [t for t in things if t[0] == colour], [t for t in things if t[1] == shape]
    both = [t for t in of_colour if t[1] == shape]
    there = [t for t in things if t[2] == place]
    out = [("How many shapes are there?", sentence(NUMBERS[len(things)])),
           (f"How many {plural(shape)} are there?", sentence(NUMBERS[len(of_shape)])),
           (f"How many {colour} shapes are there?", sentence(NUMBERS[len(of_colour)])),
           (f"Is there {a(colour, shape)}?", "Yes." if both else "No."),
           (f"What is {at(place)}?", sentence(a(*there[0][:2])) if there else "Nothing.")]
    if len(of_shape) == 1:
        out.append((f"What colour is the {shape}?", sentence(of_shape[0][0])))
    if len(of_colour) == 1:
        out.append((f"Which shape is {colour}?", sentence(f"the {of_colour[0][1]}")))
    if len(both) == 1:
        out.append((f"Where is the {colour} {shape}?", sentence(at(both[0][2]))))
    return out


def conversation(things, rng):
    """Four questions in any order; in half of all conversations one of them asks for a description."""
    turns = []
    for _ in range(4):
        options = questions(things, rng)
        turns.append(options[rng.integers(len(options))])
    if rng.random() < 0.5:
        turns[rng.integers(4)] = (DESCRIBE[min(2, int(rng.exponential(0.8)))], description(things))
    return turns


class Tokenizer:
    """Byte-level BPE in which every word of this world is one token; a word includes the space before it."""

    WORD = re.compile(r" ?[A-Za-z]+|\n+|[^A-Za-z\s]+|\s")

    def __init__(self, merges):
        self.alphabet, self.merges = alphabet(), merges
        self.pieces = [self.alphabet[b] for b in range(256)] + [x + y for x, y in merges] + SPECIAL
        self.ids = {piece: i for i, piece in enumerate(self.pieces)}
        self.ranks = {tuple(pair): i for i, pair in enumerate(merges)}
        self.cache = {}

    @classmethod
    def load(cls, folder=os.path.dirname(os.path.abspath(__file__))):
        with open(os.path.join(folder, "merges.json")) as f:
            return cls(json.load(f))

    def encode(self, text):
        return [i for word in self.WORD.findall(text) for i in self.word(word)]

    def word(self, word):
        if word not in self.cache:
            parts = [self.alphabet[b] for b in word.encode()]
            while len(parts) > 1:
                best = min(zip(parts, parts[1:]), key=lambda p: self.ranks.get(p, 1 << 30))
                if best not in self.ranks:
                    break
                parts = merged(parts, best)
            self.cache[word] = [self.ids[p] for p in parts]
        return self.cache[word]

    def decode(self, ids):
        back = {c: b for b, c in self.alphabet.items()}
        return bytes(back[c] for i in ids for c in self.pieces[i]).decode()

    def prompt(self, turns, patches):
        """Ids of a conversation about one picture, and for each whether it is part of an answer; an answer may be None."""
        ids, answer = [], []
        def add(items, mine=False):
            ids.extend(items)
            answer.extend([mine] * len(items))
        s = lambda *names: [self.ids[name] for name in names]
        add(s("<|begin_of_text|>"))
        for i, (question, reply) in enumerate(turns):
            add(s("<|header_start|>") + self.encode("user") + s("<|header_end|>") + self.encode("\n\n"))
            if i == 0:
                add(s("<|image_start|>", "<|image|>") + s("<|patch|>") * patches + s("<|image_end|>"))
            add(self.encode(question) + s("<|eot|>", "<|header_start|>") + self.encode("assistant") + s("<|header_end|>") + self.encode("\n\n"))
            if reply is not None:
                add(self.encode(reply) + s("<|eot|>"), True)
        return ids, answer


def merged(parts, pair):
    out, i = [], 0
    while i < len(parts):
        if tuple(parts[i:i + 2]) == tuple(pair):
            out.append(parts[i] + parts[i + 1])
            i += 2
        else:
            out.append(parts[i])
            i += 1
    return out


def alphabet():
    """The printable character that stands for each byte in byte-level BPE vocabularies."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    extra = iter(range(256, 512))
    return {b: chr(b) if b in printable else chr(next(extra)) for b in range(256)}


def learn_merges(texts):
    """Merges until every word of the texts is one token."""
    table = alphabet()
    parts = [[table[b] for b in w.encode()] for w in sorted({w for text in texts for w in Tokenizer.WORD.findall(text)})]
    merges = []
    while True:
        counts = {}
        for p in parts:
            for pair in zip(p, p[1:]):
                counts[pair] = counts.get(pair, 0) + 1
        if not counts:
            return merges
        merges.append(max(counts, key=lambda pair: (counts[pair], pair)))
        parts = [merged(p, merges[-1]) for p in parts]


if __name__ == "__main__":
    import numpy as np
    from pictures import draw
    rng = np.random.default_rng(0)
    texts = ["user", "assistant", "\n\n"]
    for _ in range(100):
        b = draw(rng, 64)
        texts += [t for i in range(64) for turn in conversation(b.things(i), rng) for t in turn]
    with open("merges.json", "w") as f:
        json.dump(learn_merges(texts), f)
