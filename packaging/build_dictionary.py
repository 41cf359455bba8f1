"""Makes the dictionary's asset from WordNet: ``python packaging/build_dictionary.py FOLDER``.

One line for each lemma of at most two words, sorted: the lemma, then for each of
its at most two most frequent senses the part of speech, the gloss without
examples, and synonyms, all divided by tabs. Names of people and places are left
out, and so are kinds of plants and animals of two words. Lines are packed into
blocks, each compressed; the file begins with the length of its index, the index
(first lemma, begin and length of each block), then the blocks.
"""

import argparse
import json
import lzma
import re
import sys
from collections import defaultdict
from pathlib import Path

OUT = Path(__file__).resolve().parents[1] / "assets" / "dictionary" / "words.blocks"
BLOCK = 48 * 1024
MAX_GLOSS = 160
MAX_SYNONYMS = 4
PARTS = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}
SPECIES = ("05", "20")  # WordNet's numbers of its files of animals and plants
FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME}]

Synset = tuple[tuple[str, ...], str, str, tuple[int, ...]]
Senses = dict[str, list[tuple[int, int, str, int]]]


def synsets(folder: Path, part: str) -> dict[int, Synset]:
    """By offset: words, gloss, "name" (an instance), "species" (a plant, an animal) or "", and its like."""
    found = {}
    for line in (folder / f"data.{part}").read_text(encoding="utf-8").splitlines():
        if line.startswith("  "):
            continue
        head, _, gloss = line.partition(" | ")
        fields = head.split(" ")
        count = int(fields[3], 16)
        words = tuple(re.sub(r"\(\w+\)$", "", fields[4 + 2 * i]) for i in range(count))
        pointers = fields[5 + 2 * count :]
        similar = tuple(int(pointers[i + 1]) for i, field in enumerate(pointers) if field == "&")
        kind = "name" if "@i" in fields else "species" if part == "noun" and fields[1] in SPECIES else ""
        found[int(fields[0])] = (words, shortened(gloss), kind, similar)
    return found


def shortened(gloss: str) -> str:
    """The definition alone: without examples and what stands in brackets, cut at a whole phrase."""
    gloss = re.split(r'[;:]\s*"', gloss)[0].strip().strip(";: ")
    gloss = re.sub(r"^\([^)]*\)\s*", "", gloss) or gloss
    if len(gloss) > MAX_GLOSS:
        phrases = re.split(r"; ", gloss)
        gloss = (
            phrases[0] if len(phrases[0]) <= MAX_GLOSS else gloss[:MAX_GLOSS].rsplit(" ", 1)[0].rstrip(",;(")
        )
    return gloss


def counts(folder: Path) -> dict[tuple[str, str, int], int]:
    """How often a sense (lemma, part of speech, sense number) was found in tagged text."""
    kinds = {"1": "n", "2": "v", "3": "a", "4": "r", "5": "a"}
    found = {}
    for line in (folder / "cntlist.rev").read_text(encoding="utf-8").splitlines():
        key, number, count = line.split()
        lemma, _, rest = key.partition("%")
        found[lemma, kinds[rest[0]], int(number)] = int(count)
    return found


def lines(folder: Path) -> list[str]:
    often = counts(folder)
    senses: Senses = defaultdict(list)
    data = {code: synsets(folder, part) for part, code in PARTS.items()}
    for part, code in PARTS.items():
        for line in (folder / f"index.{part}").read_text(encoding="utf-8").splitlines():
            if line.startswith("  "):
                continue
            fields = line.split()
            lemma = fields[0]
            if not re.fullmatch(r"[a-z][a-z'.-]*(?:_[a-z'.-]+){0,1}", lemma):
                continue
            offsets = [int(field) for field in fields[-int(fields[2]) :]]
            for number, offset in enumerate(offsets[:2], start=1):
                count = often.get((lemma, code, number), 0)
                kind = data[code][offset][2]
                if kind == "name" or (kind == "species" and "_" in lemma and count == 0):
                    continue
                senses[lemma].append((-count, number, code, offset))
    made = []
    for lemma in sorted(senses):
        best = sorted(senses[lemma], key=lambda sense: sense[:2])[:2]
        cells = [lemma.replace("_", " ")]
        for _, _, code, offset in best:
            words, gloss, _, similar = data[code][offset]
            alike = [data[code][other][0][0] for other in similar]
            alike.sort(key=lambda word: -often.get((word.lower(), "a", 1), 0))
            others = [
                w.replace("_", " ")
                for w in (*words, *(alike if len(words) < 3 else ()))
                if w.lower() != lemma
            ][:MAX_SYNONYMS]
            cells += [code, gloss, ",".join(others)]
        made.append("\t".join(cells))
    return sorted(made)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, help="WordNet's folder with index.noun, data.noun and so on")
    folder = parser.parse_args().folder
    blocks: list[bytes] = []
    index: list[tuple[str, int, int]] = []
    pending: list[str] = []
    size = at = 0
    every = lines(folder)
    for number, line in enumerate(every):
        pending.append(line)
        size += len(line.encode()) + 1
        if size >= BLOCK or number == len(every) - 1:
            packed = lzma.compress("\n".join(pending).encode(), lzma.FORMAT_RAW, filters=FILTERS)
            index.append((pending[0].split("\t")[0], at, len(packed)))
            at += len(packed)
            blocks.append(packed)
            pending, size = [], 0
    head = json.dumps(index, separators=(",", ":")).encode()
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_bytes(len(head).to_bytes(4, "little") + head + b"".join(blocks))
    print(f"{len(every)} lemmas, {len(blocks)} blocks, {OUT.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
