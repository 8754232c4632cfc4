"""Random snapshots with what tracemalloc says about them, for tests/unit/golden_test.c.

usage: random.py SEED CASES        random cases
       random.py fixture           the fixed fixture only

Prints {"cases": [{"old": TRACES, "new": TRACES, "queries": [QUERY...]}]}, where TRACES is
[[size, domain, [[file, line]...newest first]]...] and QUERY is what to ask, with the lines to expect.
"""
import json
import os
import random
import sys
import tracemalloc

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fixture

FILES = ["a", "b", "a.py", "a.pyc", "dir/b.c", "dir/sub/b.c", "/usr/include/x.h", "weird[1].c", "ü.c",
         "back\\slash.c", "-dash", "A", "<unknown>", "x y.c"]
PATTERNS = FILES + ["*", "a*", "*.c", "dir/*", "?", "[ab]", "[!ab]", "*.py", "*.pyc", "[a-c]", "[]a]", "[", "[!]",
                    "[c-a]", "[a-]", "[-a]", "ü*", "?.c", "*[[]1].c", "back\\slash*", "*[!.]c", "[a-b-d]", "**b*",
                    "", "*/b.c", "[^a]", "a.py*"]
DOMAINS = ["malloc", "new", "mmap", "pool"]


def random_traces(rng):
    frames = [(rng.choice(FILES), rng.choice([0, 1, 1, 2, 3, 10])) for _ in range(rng.randint(1, 8))]
    stacks = [tuple(rng.choice(frames) for _ in range(rng.randint(1, 5))) for _ in range(rng.randint(1, 8))]
    sizes = [0, 0, 1, 10, 99, 100, 1023, 10239, 10240, 102400, 10485759, 1 << 40, 3 << 50]
    return [(rng.choice(sizes) if rng.random() < .8 else rng.randint(0, 1 << rng.randint(1, 50)),
             rng.choice(DOMAINS), rng.choice(stacks)) for _ in range(rng.randint(0, 30))]


def snapshot(traces):
    return tracemalloc.Snapshot([(DOMAINS.index(d), size, stack, len(stack)) for size, d, stack in traces], 65535)


def lines_of(stats, query):
    lines = []
    for stat in stats:
        lines.append(str(stat))
        if query["by"] == "traceback":
            lines += stat.traceback.format(query.get("limit"), query.get("most_recent_first", False))
    return lines


def answer(old, new, query):
    """Fill in query["lines"] with what tracemalloc prints."""
    filters = []
    all_frames = query.get("all_frames", False)
    for inclusive, name in (True, "include"), (False, "exclude"):
        for pattern, line in query.get(name, []):
            filters.append(tracemalloc.Filter(inclusive, pattern, line, all_frames))
    snapshots = [snapshot(old), snapshot(new)]
    if filters:
        snapshots = [s.filter_traces(filters) for s in snapshots]
    # kinds of allocation are a condition of their own
    if "domain" in query:
        only = [tracemalloc.DomainFilter(True, DOMAINS.index(query["domain"]))]
        snapshots = [s.filter_traces(only) for s in snapshots]
    by, cumulative = query["by"], query.get("cumulative", False)
    if query.get("diff"):
        stats = snapshots[1].compare_to(snapshots[0], by, cumulative)
    else:
        stats = snapshots[0].statistics(by, cumulative)
    query["lines"] = lines_of(stats, query)
    return query


def random_query(rng):
    query = {"by": rng.choice(["lineno", "filename", "traceback"]), "diff": rng.random() < .4}
    if query["by"] != "traceback":
        query["cumulative"] = rng.random() < .5
    else:
        query["most_recent_first"] = rng.random() < .5
        if rng.random() < .5:
            query["limit"] = rng.randint(0, 6)
    if rng.random() < .6:
        query["all_frames"] = rng.random() < .5
        for name in "include", "exclude":
            query[name] = [(rng.choice(PATTERNS), rng.choice([None, None, 0, 1, 2]))
                           for _ in range(rng.choice([0, 1, 1, 2]))]
    if rng.random() < .2:
        query["domain"] = rng.choice(DOMAINS)
    return query


def main():
    cases = []
    fixed = {"old": [(s, "malloc", f) for s, f in fixture.SNAPSHOT_1],
             "new": [(s, "malloc", f) for s, f in fixture.SNAPSHOT_2], "queries": []}
    if sys.argv[1] == "fixture":
        for by in "lineno", "filename", "traceback":
            for diff in False, True:
                for cumulative in (False, True)[:1 if by == "traceback" else 2]:
                    fixed["queries"].append({"by": by, "diff": diff, "cumulative": cumulative})
        fixed["queries"] = [answer(fixed["old"], fixed["new"], q) for q in fixed["queries"]]
        cases.append(fixed)
    else:
        rng = random.Random(int(sys.argv[1]))
        for _ in range(int(sys.argv[2])):
            old, new = random_traces(rng), random_traces(rng)
            cases.append({"old": old, "new": new,
                          "queries": [answer(old, new, random_query(rng)) for _ in range(6)]})
    json.dump({"cases": cases}, sys.stdout)


if __name__ == "__main__":
    main()
