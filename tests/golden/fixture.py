"""The golden fixture: two snapshots, and what tracemalloc prints about them.

usage: fixture.py stats|diff BY [cumulative]

tests/golden/fixture.c allocates the same and its report must be the same, line by line.
Frames are given newest first.
"""
import sys
import tracemalloc

A2 = (("a", 2), ("b", 4))
A5 = (("a", 5), ("b", 4))
B1 = (("b", 1),)
C578 = (("c", 578),)
UNKNOWN = (("<unknown>", 0),)

SNAPSHOT_1 = [(10, A2), (10, A2), (10, A2), (2, A5), (66, B1), (7, UNKNOWN)]
SNAPSHOT_2 = [(10, A2), (10, A2), (10, A2), (2, A5), (5000, A5), (400, C578)]


def snapshot(blocks):
    return tracemalloc.Snapshot([(0, size, frames, len(frames)) for size, frames in blocks], 2)


def main():
    what, by = sys.argv[1:3]
    cumulative = "cumulative" in sys.argv[3:]
    if what == "stats":
        stats = snapshot(SNAPSHOT_1).statistics(by, cumulative)
    else:
        stats = snapshot(SNAPSHOT_2).compare_to(snapshot(SNAPSHOT_1), by, cumulative)
    for stat in stats:
        print(stat)
        if by == "traceback":
            for line in stat.traceback.format():
                print(line)


if __name__ == "__main__":
    main()
