# SPDX-License-Identifier: MIT
"""Adds up what tests/run did.

usage: summary.py CHECKS TESTLOG...

CHECKS has a line `RESULT<tab>NAME` for each check of tests/run's own, a TESTLOG is Meson's testlog.json. The last
line printed is `N passed, N failed`, with `, N skipped` when some were. The exit status is 0 only when a test of
Meson's ran and nothing failed.
"""
import collections
import json
import re
import sys

PASSED = "OK", "EXPECTEDFAIL"
SKIPPED = "SKIP",
OWN_SUITE = "build"
NAME = re.compile("[^:/]+:(?P<suite>[^/]+) / (?P<name>.*)")
NEWER_NAME = re.compile("(?P<suite>.+?) - [^:/]+:(?P<name>.*)")


def read_checks(path):
    with open(path) as file:
        for line in file:
            result, name = line.rstrip("\n").split("\t")
            yield OWN_SUITE, name, result


def read_testlog(path):
    """Meson names a test `PROJECT:SUITE / NAME`, newer ones `SUITE - PROJECT:NAME`, or just NAME without suites."""
    with open(path) as file:
        for line in file:
            test = json.loads(line)
            named = NAME.fullmatch(test["name"]) or NEWER_NAME.fullmatch(test["name"])
            yield named["suite"] if named else "-", named["name"] if named else test["name"], test["result"]


def main(checks, *testlogs):
    tests = [test for path in testlogs for test in read_testlog(path)]
    ran = any(result not in SKIPPED for _, _, result in tests)
    tests = list(read_checks(checks)) + tests

    suites = collections.defaultdict(collections.Counter)
    failures = []
    for suite, name, result in tests:
        kind = "passed" if result in PASSED else "skipped" if result in SKIPPED else "failed"
        suites[suite or "-"][kind] += 1
        if kind == "failed":
            failures.append(f"{suite} / {name}: {result}")

    width = max(map(len, [*suites, "suite"]))
    print(f"{'suite':{width}}  passed  failed  skipped")
    for suite, counts in sorted(suites.items()):
        print(f"{suite:{width}}  {counts['passed']:6}  {counts['failed']:6}  {counts['skipped']:7}")
    for failure in failures:
        print("failed:", failure)
    if not ran:
        print("no test ran")

    total = sum(suites.values(), collections.Counter())
    text = f"{total['passed']} passed, {total['failed']} failed"
    if total["skipped"]:
        text += f", {total['skipped']} skipped"
    print(text)
    return 0 if ran and not failures else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
