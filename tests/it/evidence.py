"""Checks an evidence file of tanggap by nothing but its description in README.md. Prints what is wrong, then which entries say nothing."""
import hashlib
import json
import sys


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


with open(sys.argv[1], encoding="utf-8") as file:
    evidence = json.load(file)
wrong, silent = [], []
before = sha256(f"tanggap.ticket:{evidence['ticket']['id']}")
if before != evidence["root"]:
    wrong.append("root")
for place, entry in enumerate(evidence["entries"], 1):
    record, salt = entry["record"], entry["salt"]
    if record is not None:
        canonical = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        if salt is None or sha256(f"{salt}\n{canonical}") != entry["digest"]:
            wrong.append(f"digest {place}")
    else:
        silent.append(place)
    link = sha256("\n".join([before, str(place), entry["at"], entry["kind"], entry["digest"]]))
    if link != entry["link"]:
        wrong.append(f"link {place}")
    before = entry["link"]
if evidence["end"] != {"n": len(evidence["entries"]), "link": before}:
    wrong.append("end")
print(json.dumps({"wrong": wrong, "silent": silent}))
sys.exit(1 if wrong else 0)
