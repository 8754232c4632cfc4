#!/bin/sh
# leak_formats.sh - the formats of a check, read by their real consumers: xmllint, Test::Valgrind, CTest, the schema of SARIF.
# timeout: 300
set -u
# shellcheck source=tests/lib/verdict.sh
. "$HL_ROOT/tests/lib/verdict.sh"

scenes="leaks empty incomplete hostile random family growth"
for scene in $scenes; do
	for format in junit valgrind-xml sarif gitlab json csv valgrind; do
		"$HL_BUILD/tests/unit/leaks_report_test" $format "$scene" >"$scene.$format" || exit 1
	done
done

if command -v xmllint >/dev/null 2>&1; then
	for scene in $scenes; do
		verdict "xmllint reads junit and valgrind-xml ($scene)" "" \
			"$(xmllint --noout "$scene.junit" "$scene.valgrind-xml" 2>&1)"
	done
else
	echo "SKIP: xmllint: not installed"
fi

# What Jenkins' junit-10.xsd and valgrind's protocol 4 allow, of what we write.
cat >vocabulary.py <<'END'
import sys, xml.etree.ElementTree as tree
junit = {
    "testsuites": (set(), {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped", "time"}, {"testcase", "system-out"}),
    "testcase": ({"classname", "name"}, {"failure", "error"}),
    "failure": ({"type", "message"}, set()),
    "error": ({"type", "message"}, set()),
    "system-out": (set(), set()),
}
def junit_faults(e):
    attributes, children = junit[e.tag]
    if set(e.attrib) - attributes:
        yield "%s has %s" % (e.tag, sorted(e.attrib))
    for c in e:
        if c.tag not in children:
            yield "%s in %s" % (c.tag, e.tag)
        else:
            yield from junit_faults(c)
    if e.tag == "testsuite":
        cases = e.findall("testcase")
        for name, path in ("tests", "testcase"), ("failures", "testcase/failure"), ("errors", "testcase/error"):
            if int(e.get(name)) != len(e.findall(path)):
                yield "%s: %s" % (name, e.get(name))
        if not cases:
            yield "no case"
def children(e, *names):
    """Of these names only, in this order; ? and * as in a content model."""
    at = 0
    for c in e:
        while at < len(names) and names[at].rstrip("?*") != c.tag:
            if names[at][-1] not in "?*":
                yield "%s for %s in %s" % (c.tag, names[at], e.tag)
                return
            at += 1
        if at == len(names):
            yield "%s in %s" % (c.tag, e.tag)
            return
        at += names[at][-1] != "*"
    for n in names[at:]:
        if n[-1] not in "?*":
            yield "no %s in %s" % (n, e.tag)
def valgrind_faults(root):
    yield from children(root, "protocolversion", "protocoltool", "preamble", "pid", "ppid", "tool", "args", "status",
                        "status", "error*", "errorcounts", "suppcounts")
    yield from children(root.find("args"), "vargv", "argv")
    seen = set()
    for e in root.findall("error"):
        yield from children(e, "unique", "tid", "kind", "xwhat", "stack", "auxwhat?")
        yield from children(e.find("xwhat"), "text", "leakedbytes", "leakedblocks")
        unique = int(e.find("unique").text, 16)
        if unique in seen or not e.find("unique").text.startswith("0x"):
            yield "unique"
        seen.add(unique)
        int(e.find("tid").text)
        if not len(e.find("stack")):
            yield "empty stack"
        for f in e.findall("stack/frame"):
            yield from children(f, "ip", "obj?", "fn?", "dir?", "file?", "line?")
            int(f.find("ip").text, 16)
            obj = f.find("obj")
            if obj is not None and "libheapledger" in obj.text and f.find("file") is not None:
                yield "a file in our own frame"
    for p in root.findall("errorcounts/pair"):
        yield from children(p, "count", "unique")
        seen.remove(int(p.find("unique").text, 16))
    if seen:
        yield "errors without a count"
    for p in root.findall("suppcounts/pair"):
        yield from children(p, "count", "name")
root = tree.parse(sys.argv[1]).getroot()
faults = junit_faults(root) if root.tag == "testsuites" else valgrind_faults(root)
print("; ".join(faults))
END
if command -v python3 >/dev/null 2>&1; then
	for scene in $scenes; do
		for format in junit valgrind-xml; do
			verdict "$format has the elements it may have ($scene)" "" "$(python3 vocabulary.py "$scene.$format" 2>&1)"
		done
	done
	verdict "csv has rows of one width and no formulas" "" "$(python3 -c '
import csv, sys
for name in sys.argv[1:]:
    rows = list(csv.reader(open(name, newline="")))
    print(*(name for r in rows if len(r) != len(rows[0]) or any(c[:1] in "=+-@" for c in r if c)), end="")' ./*.csv)"
	# no two cases of a document have one name
	verdict "cases of junit have names of their own" "" "$(python3 -c '
import sys, xml.etree.ElementTree as tree, collections
for name in sys.argv[1:]:
    cases = collections.Counter((c.get("classname"), c.get("name")) for c in tree.parse(name).iter("testcase"))
    print(*(c for c, n in cases.items() if n > 1), end="")' ./*.junit)"
else
	echo "SKIP: elements of XML: python3 is not installed"
fi

# The parser of Test::Valgrind, fed as its session does.
cat >parse.pl <<'END'
use strict;
use warnings;
use Test::Valgrind::Tool::memcheck;
use Test::Valgrind::Parser::XML::Twig;
package Session;
sub new { bless { reports => [] }, shift }
sub report_class { 'Test::Valgrind::Tool::memcheck::Report' }
sub report { push @{ $_[0]{reports} }, $_[1] }
sub version { '3.19.0' }
package main;
my $session = Session->new;
my $parser = Test::Valgrind::Parser::XML::Twig->new;
$parser->start($session);
open my $in, '<', $ARGV[0] or die;
$parser->parse($session, $in);
$parser->finish($session);
for my $r (@{ $session->{reports} }) {
	my $d = $r->data;
	print join(' ', $r->kind, $d->{leakedbytes}, $d->{leakedblocks}, scalar @{ $d->{stack} }, $d->{stack}[0][2] // '-',
		$d->{stack}[-1][4] // '-', $d->{stack}[-1][5] // '-'), "\n";
}
END
if perl -MTest::Valgrind::Parser::XML::Twig -e 1 2>/dev/null; then
	verdict "Test::Valgrind reads valgrind-xml" "Leak_PossiblyLost 10 1 2 inner main.c 9
Leak_IndirectlyLost 32 1 2 item_new main.c 9
Leak_DefinitelyLost 96 2 3 operator new main.c 9
Leak_StillReachable 120 3 1 - - -
Leak_DefinitelyLost 1080 3 3 malloc main.c 9" "$(perl parse.pl leaks.valgrind-xml 2>&1)"
	for want in empty:0 incomplete:0 hostile:2 random:9 family:14; do
		verdict "Test::Valgrind reads valgrind-xml (${want%:*})" "${want#*:}" \
			"$(perl parse.pl "${want%:*}.valgrind-xml" 2>&1 | grep -c '^Leak_')"
	done
else
	echo "SKIP: Test::Valgrind: not installed (libtest-valgrind-perl)"
fi

# valgrind itself: each of our lines has the shape of one of its own, each of our elements lies where one of its own does.
cat >lost.c <<'END'
#include <stdlib.h>
struct node { struct node *next; char name[1000]; };
static struct node *still, *inside;
__attribute__((noinline)) static void *make(size_t n) { return calloc(1, n); }
__attribute__((noinline)) static void lose(void)
{
	for (int i = 0; i < 3; i++)
		make(16);
	struct node *n = make(sizeof(*n));
	n->next = make(2000);
}
int main(void)
{
	lose();
	still = make(8);
	inside = (struct node *)((char *)make(sizeof(*inside)) + 4);
	return malloc(1) == still;
}
END
cat >shapes.py <<'END'
import re, sys, xml.etree.ElementTree as tree
def shape(line):
    line = re.sub(r"^==\d+==", "==P==", line)
    line = re.sub(r"(at|by) 0x[0-9A-F]+: .* \(in .*\)$", "by FRAME (in OBJECT)", line)
    line = re.sub(r"(at|by) 0x[0-9A-F]+: .* \([^ ]*:\d+\)$", "by FRAME (FILE:LINE)", line)
    return re.sub(r"\d+(,\d{3})*", "N", line)
def shapes(name):
    if name.endswith("xml"):
        found = set()
        def walk(e, path):
            found.add(path + "/" + e.tag)
            for c in e:
                walk(c, path + "/" + e.tag)
        walk(tree.parse(name).getroot(), "")
        return found
    return {shape(line) for line in open(name).read().split("\n")}
# valgrind has none of these here: heading, a stack that was not recorded, counts of what it has not
ours_alone = {"==P== heapledger N.N.N, leaks as memcheck prints them", "==P== Command: ./prog --fast", "==P==    at NxN: ???"}
for counts in "errorcounts", "suppcounts":
    ours_alone |= {"/valgrindoutput/%s/pair%s" % (counts, rest) for rest in ("", "/count", "/unique", "/name")}
print("\n".join(sorted(shapes(sys.argv[1]) - shapes(sys.argv[2]) - ours_alone)))
END
if command -v valgrind >/dev/null 2>&1 && command -v python3 >/dev/null 2>&1 && cc -g -O0 -w -o lost lost.c; then
	memcheck="valgrind --leak-check=full --show-leak-kinds=all"
	$memcheck --log-file=lost.valgrind ./lost && $memcheck --xml=yes --xml-file=lost.xml ./lost >/dev/null
	cp leaks.valgrind-xml leaks.xml
	verdict "valgrind's lines have the shapes of ours" "" "$(python3 shapes.py leaks.valgrind lost.valgrind 2>&1)"
	verdict "valgrind's XML has the elements of ours" "" "$(python3 shapes.py leaks.xml lost.xml 2>&1)"
else
	echo "SKIP: the shapes of valgrind's lines: it, python3 or cc is not installed"
fi

# CTest, with a memory checker that has our text where valgrind puts its own.
if command -v ctest >/dev/null 2>&1; then
	mkdir project
	cat >project/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.10)
project(p NONE)
include(CTest)
add_test(NAME one COMMAND true)
END
	for want in leaks:2:2 hostile:1:1 empty:0:0; do
		scene=${want%%:*}
		# shellcheck disable=SC2016 # for the checker to expand
		printf '#!/bin/sh\nfor a; do case $a in --log-file=*) cp %s "${a#*=}" ;; esac; done\n' \
			"$PWD/$scene.valgrind" >checker
		chmod +x checker
		rm -rf built
		cmake -S project -B built "-DMEMORYCHECK_COMMAND=$PWD/checker" -DMEMORYCHECK_TYPE=Valgrind >/dev/null
		(cd built && ctest -T memcheck) >ctest.out 2>&1
		verdict "CTest counts leaks and potential leaks ($scene)" "${want#*:}" \
			"$(awk '/^Memory Leak - /{ l = $4 } /^Potential Memory Leak - /{ p = $5 } END { print l + 0 ":" p + 0 }' ctest.out)"
	done
else
	echo "SKIP: CTest: not installed (cmake)"
fi

# The schema of SARIF, in the build directory from npm's registry.
modules=$HL_BUILD/consumers/sarif
if ! command -v npm >/dev/null 2>&1; then
	echo "SKIP: the schema of SARIF: npm is not installed"
	exit $failed
fi
if [ ! -f "$modules/installed" ]; then
	mkdir -p "$modules"
	echo '{"private": true}' >"$modules/package.json"
	timeout 200 npm install --prefix "$modules" --ignore-scripts --no-audit --no-fund --fetch-retries=1 --loglevel=error \
		@microsoft/sarif-multitool-linux@5.7.0 ajv@8.20.0 ajv-formats@3.0.1 >npm.out 2>&1 && : >"$modules/installed"
fi
if [ ! -f "$modules/installed" ]; then
	echo "SKIP: the schema of SARIF: npm install failed: $(head -n 1 npm.out)"
	exit $failed
fi
cat >validate.js <<'END'
const fs = require("fs"), modules = process.argv[2] + "/node_modules/";
const Ajv = require(modules + "ajv/dist/2020"), formats = require(modules + "ajv-formats");
const ajv = new Ajv({strict: false, allErrors: true});
formats(ajv);
const schema = JSON.parse(fs.readFileSync(modules + "@microsoft/sarif-multitool-linux/sarif-2.1.0.json"));
const log = JSON.parse(fs.readFileSync(process.argv[3])), valid = ajv.compile(schema);
if (!valid(log))
	console.log(JSON.stringify(valid.errors.slice(0, 5)));
END
for scene in $scenes; do
	verdict "SARIF is as its schema wants it ($scene)" "" "$(node validate.js "$modules" "$scene.sarif" 2>&1)"
done
# and the schema is not blind
sed 's/"ruleId"/"ruleID"/' leaks.sarif >broken.sarif
verdict "the schema of SARIF refuses another member" 1 "$(node validate.js "$modules" broken.sarif 2>&1 | grep -c ruleID)"
exit $failed
