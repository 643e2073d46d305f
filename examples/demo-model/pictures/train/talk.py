"""What is said about scenes: questions with their true answers, and the chat format in tokens."""

import re

NUMBERS = ["no", "one", "two", "three", "four"]
DESCRIBE = ["Describe the picture.", "What is in the picture?", "What do you see?"]
SPECIAL = ["<|begin_of_text|>", "<|end_of_text|>", "<|header_start|>", "<|header_end|>", "<|eom|>", "<|eot|>",
           "<|image_start|>", "<|image_end|>", "<|tile_x_separator|>", "<|tile_y_separator|>", "<|image|>", "<|patch|>"]
PATCHES = 9


def a(thing):
    return f"{'an' if thing[0][0] in 'aeiou' else 'a'} {thing[0]} {thing[1]}"


def several(count, thing):
    return a(thing) if count == 1 else f"{NUMBERS[count]} {thing[0]} {thing[1]}s"


def sentence(text):
    return text[0].upper() + text[1:] + "."


def groups(scene):
    """The different things and how many of each, the most numerous first, then as the colours and shapes are listed."""
    from pictures import NAMES, SHAPES
    things = sorted(set(scene["objects"]), key=lambda t: (-scene["objects"].count(t), NAMES.index(t[0]), SHAPES.index(t[1])))
    return [(scene["objects"].count(t), t) for t in things]


def place(where):
    row, column = where
    if row == "middle":
        return "in the middle" if column == "middle" else f"on the {column}"
    return f"at the {row}" if column == "middle" else f"in the {row} {column}"


def description(scene):
    objects = scene["objects"]
    if scene["kind"] == "one":
        return sentence(f"{a(objects[0])} {place(scene['where'])}")
    if scene["kind"] == "pair":
        relation = "above" if scene["relation"] == "above" else "to the left of"
        return sentence(f"{a(objects[0])} {relation} {a(objects[1])}")
    return sentence(" and ".join(several(n, t) for n, t in groups(scene)))


def questions(scene, rng):
    """One question of each sort that fits the scene, with its answer."""
    from pictures import NAMES, SHAPES
    objects = scene["objects"]
    out = [("How many shapes are there?", sentence(NUMBERS[len(objects)]))]
    for shape in {s for _, s in objects}:
        colours = {c for c, s in objects if s == shape}
        if len(colours) == 1:
            count = sum(s == shape for _, s in objects)
            out.append((f"What colour {'is' if count == 1 else 'are'} the {shape}{'s' if count > 1 else ''}?", sentence(colours.pop())))
    for colour in {c for c, _ in objects}:
        shapes = {s for c, s in objects if c == colour}
        if len(shapes) == 1:
            count = sum(c == colour for c, _ in objects)
            shape = shapes.pop()
            out.append((f"How many {colour} shapes are there?", sentence(NUMBERS[count])))
    if scene["kind"] == "one":
        out += [(f"Where is the {objects[0][1]}?", sentence(place(scene["where"])))] * 2
    if scene["kind"] == "pair":
        first, second = objects
        which = rng.random() < 0.5
        mine, other = (first, second) if which else (second, first)
        relation = {("left", True): "to the left of", ("left", False): "to the right of", ("above", True): "above", ("above", False): "below"}[scene["relation"], which]
        out += [(f"Where is the {mine[0]} {mine[1]}?", sentence(f"{relation} the {other[0]} {other[1]}"))] * 2
    asked = objects[rng.integers(len(objects))] if rng.random() < 0.5 else (NAMES[rng.integers(len(NAMES))], SHAPES[rng.integers(len(SHAPES))])
    out.append((f"Is there {a(asked)}?", "Yes." if asked in objects else "No."))
    return out


def conversation(scene, rng):
    """Two questions with answers; the first is mostly for a description."""
    others = questions(scene, rng)
    turns = [others[rng.integers(len(others))], others[rng.integers(len(others))]]
    describe = (DESCRIBE[min(2, int(rng.exponential(0.8)))], description(scene))
    if rng.random() < 0.7:
        turns[0] = describe
    elif rng.random() < 0.5:
        turns[1] = describe
    return turns


class Tokenizer:
    """Byte-level BPE with the merges given; words with the space before them are units, as Llama splits plain words."""

    WORD = re.compile(r" ?[A-Za-z]+|\n+|[^A-Za-z\s]+|\s")

    def __init__(self, merges):
        self.alphabet = alphabet()
        self.merges = merges
        pieces = [self.alphabet[b] for b in range(256)] + [x + y for x, y in merges]
        self.pieces = pieces + SPECIAL
        self.ids = {piece: i for i, piece in enumerate(self.pieces)}
        self.ranks = {pair: i for i, pair in enumerate(merges)}
        self.cache = {}

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

    def prompt(self, turns):
        """ids and, for each, whether it is part of an answer."""
        ids, answer = [self.ids["<|begin_of_text|>"]], [0]
        def add(items, mine=0):
            ids.extend(items)
            answer.extend([mine] * len(items))
        s = lambda name: [self.ids[name]]
        for i, (question, reply) in enumerate(turns):
            add(s("<|header_start|>") + self.encode("user") + s("<|header_end|>") + self.encode("\n\n"))
            if i == 0:
                add(s("<|image_start|>") + s("<|image|>") + s("<|patch|>") * PATCHES + s("<|image_end|>"))
            add(self.encode(question) + s("<|eot|>"))
            add(s("<|header_start|>") + self.encode("assistant") + s("<|header_end|>") + self.encode("\n\n"))
            if reply is not None:
                add(self.encode(reply) + s("<|eot|>"), 1)
        return ids, answer


def merged(parts, pair):
    out, i = [], 0
    while i < len(parts):
        if i + 1 < len(parts) and (parts[i], parts[i + 1]) == pair:
            out.append(parts[i] + parts[i + 1])
            i += 2
        else:
            out.append(parts[i])
            i += 1
    return out


def alphabet():
    """The printable character that stands for each byte in byte-level BPE vocabularies."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table, extra = {}, 256
    for b in range(256):
        if b in printable:
            table[b] = chr(b)
        else:
            table[b] = chr(extra)
            extra += 1
    return table


def learn_merges(texts):
    """Merges until every word of the texts is one token."""
    words = sorted({w for text in texts for w in Tokenizer.WORD.findall(text)})
    table = alphabet()
    parts = {w: [table[b] for b in w.encode()] for w in words}
    merges = []
    while True:
        counts = {}
        for p in parts.values():
            for pair in zip(p, p[1:]):
                counts[pair] = counts.get(pair, 0) + 1
        if not counts:
            return merges
        best = max(counts, key=lambda pair: (counts[pair], pair))
        merges.append(best)
        parts = {w: merged(p, best) for w, p in parts.items()}
