#!/usr/bin/env python3
"""What is linked into the program, out of the lock file: `notices` prints every library's license and notice, `sbom` a CycloneDX document.
The same lock file gives the same bytes."""

import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import tomllib
import uuid

TEXTS = re.compile(r"(?i)^(un)?(licen[cs]e|copying|notice|copyright)")


def cargo(*words):
    return subprocess.run(["cargo", *words], check=True, stdout=subprocess.PIPE, text=True).stdout


def tree(edges, host):
    """The packages reached by these edges, as (name, version)."""
    lines = cargo("tree", "--locked", "--target", host, "-e", edges, "--prefix", "none", "--format", "{p}").splitlines()
    return {(words[0], words[1].removeprefix("v")) for words in map(str.split, lines) if words}


host = re.search(r"^host: (.*)$", subprocess.run(["rustc", "-vV"], check=True, stdout=subprocess.PIPE, text=True).stdout, re.M)[1]
metadata = json.loads(cargo("metadata", "--locked", "--format-version", "1", "--filter-platform", host))
packages = {(package["name"], package["version"]): package for package in metadata["packages"]}
linked, built = tree("normal,no-proc-macro", host), tree("normal,build", host)
[root] = [key for key, package in packages.items() if package["id"] == metadata["resolve"]["root"]]


def license_of(package):
    return (package["license"] or "see its files").replace("/", " OR ").replace("  ", " ")


def notices():
    texts, bare = collections.defaultdict(list), []
    for name, version in sorted(linked - {root}):
        package = packages[name, version]
        line = f"{name} {version} ({license_of(package)})"
        folder = pathlib.Path(package["manifest_path"]).parent
        found = {" ".join(text.split()): text for file in sorted(folder.iterdir()) if TEXTS.match(file.name) and file.is_file()
                 for text in [file.read_text(errors="replace").replace("\r", "").strip()]}
        for key, text in found.items():
            texts[key].append((line, text))
        if not found:
            bare.append(f"{line}: {', '.join(package['authors']) or 'its authors'}")
    print("tanggap is linked with what follows, and with Rust's standard library (MIT OR Apache-2.0) and SQLite (public domain).")
    for users in sorted(texts.values()):
        print("\n" + "=" * 100, *(line for line, _ in users), "-" * 100, users[0][1], sep="\n")
    print("\n" + "=" * 100, "Without a text of their own; by", *bare, sep="\n")


def sbom():
    lock = {(package["name"], package["version"]): package for package in tomllib.loads(pathlib.Path("Cargo.lock").read_text())["package"]}
    reference = lambda key: f"pkg:cargo/{key[0]}@{key[1]}"

    def component(key):
        package, checksum = packages[key], lock[key].get("checksum")
        told = {"type": "application" if key == root else "library", "bom-ref": reference(key), "name": key[0], "version": key[1]}
        told |= {"description": " ".join(package["description"].split())} if package["description"] else {}
        told |= {} if key == root else {"scope": "required" if key in linked else "excluded"}
        told |= {"hashes": [{"alg": "SHA-256", "content": checksum}]} if checksum else {}
        return told | {"licenses": [{"expression": license_of(package)}], "purl": reference(key)}

    names = {package["id"]: key for key, package in packages.items()}
    depends = []
    for node in metadata["resolve"]["nodes"]:
        needs = {names[dep["pkg"]] for dep in node["deps"] if any(kind["kind"] != "dev" for kind in dep["dep_kinds"])}
        if names[node["id"]] in built:
            depends.append({"ref": reference(names[node["id"]]), "dependsOn": sorted(map(reference, needs & built))})
    document = {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]))),
            "component": component(root),
        },
        "components": [component(key) for key in sorted(built - {root})],
        "dependencies": sorted(depends, key=lambda it: it["ref"]),
    }
    document["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(document, sort_keys=True))}"
    print(json.dumps(document, indent=1))


{"notices": notices, "sbom": sbom}[sys.argv[1]]()
