#!/usr/bin/env python3
"""image.py SAID DUMP - hold the pointer image that image_dump printed against what the program said (tests/e2e/image.c)."""
import sys


def read_dump(path):
    threads, words, maps, ranges, images = {}, {}, [], [], 0
    for line in open(path):
        f = line.split()
        if f[0] == "image":
            images += 1
        elif f[0] == "thread":
            threads[int(f[1])] = (int(f[2]), int(f[3], 16), int(f[4], 16), {int(w, 16) for w in f[5:]})
        elif f[0] == "word":
            words[int(f[1], 16)] = (int(f[2], 16), int(f[3]), int(f[4]))
        elif f[0] == "range" and f[4].endswith("/image"):
            ranges.append((int(f[1], 16), int(f[2], 16), int(f[3])))
        elif f[0] == "map":
            maps.append((int(f[1], 16), int(f[2], 16), int(f[3])))
    return threads, words, maps, ranges, images


def main():
    said, dump = sys.argv[1:3]
    threads, words, maps, ranges, images = read_dump(dump)
    wrong = [] if images == 1 else ["%d images" % images]
    expected, said_ranges, checks = {}, [], 0
    for line in open(said):
        f = line.split()
        kind, name = f[0], f[1]
        checks += 1
        if kind == "word":
            expected[name, int(f[2], 16)] = int(f[3], 16)
        elif kind == "lengths":
            got = words.get(int(f[2], 16), (0, None, None))[1:]
            if got != (int(f[3]), int(f[4])):
                wrong.append("%s: lengths %s" % (name, got))
        elif kind in ("above", "below"):
            sp = threads[int(f[2])][1]
            if (int(f[3], 16) >= sp) != (kind == "above"):
                wrong.append("%s: %s is not %s sp %x" % (name, f[3], kind, sp))
        elif kind in ("reg", "noreg"):
            if (int(f[3], 16) in threads[int(f[2])][3]) != (kind == "reg"):
                wrong.append("%s: %s %s" % (name, kind, f[3]))
        elif kind == "range":
            said_ranges.append((int(f[2], 16), int(f[3], 16), int(f[4])))
        elif kind == "how":
            if int(f[2]) not in threads or threads[int(f[2])][0] != int(f[3]):
                wrong.append("%s: %s, not how %s" % (name, threads.get(int(f[2])), f[3]))
        else:
            wrong.append("unexpected: " + line.strip())
    latest = {}
    for (name, at), value in expected.items():
        latest[name, at] = value
    for (name, at), value in latest.items():
        if words.get(at, (None,))[0] != value:
            wrong.append("%s: at %x is %s, not %x" % (name, at, words.get(at), value))
    for at, (value, _, _) in words.items():
        if not any(s <= at < e and fl & 8 for s, e, fl in maps):
            wrong.append("word %x lies in no scanned map" % at)
            break
    if [r for r in ranges if r[1] - r[0] < 64 << 30] != said_ranges:
        wrong.append("ranges %s, not %s" % (ranges, said_ranges))
    if not checks:
        wrong.append("the program said nothing")
    print("\n".join(wrong[:10]) if wrong else "%d checks" % checks)
    return bool(wrong)


sys.exit(main())
