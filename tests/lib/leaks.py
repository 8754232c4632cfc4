"""leaks.py FILE - of `heapledger leaks --format json` what code of FILE allocated: "KIND BLOCKS BYTES ..." of all processes."""
import json
import sys

KINDS = ("definite", "indirect", "possible", "reachable")


def main():
    found, cycles = {}, 0
    for process in json.load(sys.stdin)["processes"]:
        for loss in process["losses"]:
            if not loss["traceback"] or not loss["traceback"][0]["file"].endswith(sys.argv[1]):
                continue
            blocks, size = found.get(loss["kind"], (0, 0))
            found[loss["kind"]] = (blocks + loss["blocks"], size + loss["bytes"])
            cycles += loss["blocks"] if loss["cycle"] else 0
    words = []
    for kind in KINDS:
        if kind in found:
            words.append("%s %d %d" % (kind, *found[kind]))
        if kind == "definite" and cycles:
            words.append("cycle %d" % cycles)
    print(" ".join(words))


main()
