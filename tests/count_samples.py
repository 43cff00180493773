#!/usr/bin/env python3
"""Counts what stands in the recorded answers without using the crate, and compares with what the crate counted.

usage: count_samples.py COUNTS.json   (written by the test `samples` to $TANGGAP_SAMPLE_COUNTS)
Exit status 1 on any difference, or when a sample of an edge we read is not listed in tests/fixtures/graph/samples.tsv.
"""

import datetime
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
SAMPLES = HERE.parent.parent / "shared" / "graph-samples"
FOLDERS = "posts comments feed-chain conversations messages ig-comments ig-media ig-mentions".split()


def elements(node):
    return node if isinstance(node, list) else (node or {}).get("data", [])


def readable(item):
    """Whether a message can be kept: it has an id and a time between 1970 and 9000."""
    time = item.get("created_time") or item.get("timestamp")
    if not item.get("id") or not time:
        return False
    if str(time).isdigit():
        return True
    try:
        return 1970 <= datetime.datetime.fromisoformat(time).year < 9000
    except ValueError:
        return False


class Count(dict):
    def __init__(self):
        super().__init__(posts=0, comments=0, replies=0, messages=0, odd=0)

    def add(self, kind, item):
        self[kind if readable(item) else "odd"] += 1

    def comments_of(self, node, below=False):
        if isinstance(node, dict) and "data" not in node:
            self["odd"] += 1  # a count of 2012 in place of the list
        for item in elements(node):
            self.add("replies" if below or "parent" in item or "parent_id" in item else "comments", item)
            self.comments_of(item.get("comments"), True)
            self.comments_of(item.get("replies"), True)

    def conversation(self, node):
        for item in elements(node.get("messages")):
            self.add("messages", item)


def count(body, reading):
    found = Count()
    items = [body] if reading in ("post", "comment", "conversation", "message", "medium", "media comment") else elements(body)
    for item in items:
        if reading in ("feed", "post", "media", "medium", "tagged media"):
            found.add("posts", item)
            if reading != "tagged media":
                found.comments_of(item.get("comments"))
        elif reading in ("comments", "comment", "media comments", "media comment"):
            found.comments_of([item])
        elif reading in ("conversations", "conversation"):
            found.conversation(item)
        else:
            found.add("messages", item)
    return found


def main():
    theirs = json.loads(pathlib.Path(sys.argv[1]).read_text())
    readings = dict(line.split("\t") for line in (HERE / "fixtures/graph/samples.tsv").read_text().splitlines())
    wrong = 0
    for folder in FOLDERS:
        for path in sorted((SAMPLES / folder).glob("*.json")):
            name = f"{folder}/{path.name}"
            if not name.endswith(".http.json") and name not in readings:
                print(f"{name}: not listed in samples.tsv")
                wrong += 1
    total = Count()
    for name, reading in readings.items():
        if reading == "-":
            continue
        ours = count(json.loads((SAMPLES / name).read_text()), reading)
        for kind, number in ours.items():
            total[kind] += number
        if dict(ours) != theirs.get(name):
            print(f"{name}: counted {dict(ours)}, the crate found {theirs.get(name)}")
            wrong += 1
    print(f"{len(theirs)} files, {dict(total)}: {f'{wrong} differences' if wrong else 'no difference'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
