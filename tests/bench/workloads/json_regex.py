# An interpreter's load: deep recursion, JSON both ways, regular expressions, dictionaries, small strings.
# Run with PYTHONMALLOC=malloc, so that every object is a malloc.
import json
import re


def tree(depth):
    return {"node %d" % depth: [tree(depth - 1) for _ in range(2)] if depth else "leaf " * 4}


text = json.dumps(tree(13))
for _ in range(20):
    again = json.loads(text)
counts = {}
for word in re.findall(r"[a-z]+|\d+", text * 6):
    counts[word] = counts.get(word, 0) + 1
print(len(text), len(counts), sum(len(repr(i)) for i in range(1500000)), len(again))
