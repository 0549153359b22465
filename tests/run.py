#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs test suites side by side and counts what happened; scripts/test is its front door.

A suite is a list of jobs; a job is one process with a count of its own: a cmocka program of the build, or one Python test
module. Jobs of all suites run side by side (--jobs): one more than there are processors, for most of them wait for something.
The longest begin first, so that none runs alone at the end; a heavy one takes two places. Only what fails is printed whole.
"""
import argparse
import concurrent.futures
import glob
import json
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SUITES = ["lint", "unit", "fault", "e2e", "db", "promela", "wire", "conformance", "model"]  # after the longest: what is told in a second, then by length
LONGEST = ["model/model", "fault/processes", "fault/chaos", "e2e/fairness", "e2e/dev", "fault/stores", "db/plans", "e2e/dlq"]
HEAVY = {"model/model": 2}  # places
JOBS = min((os.cpu_count() or 1) + 1, 4)
JOB_SECONDS = 900


def unit_jobs(build, pattern):
    listing = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1", "-L", "unit"], capture_output=True, text=True, check=True)
    for test in json.loads(listing.stdout)["tests"]:
        if pattern in test["name"]:
            yield f"unit/{test['name'].removeprefix('unit_')}", test["command"]


def python_jobs(suite, pattern):
    for path in sorted(glob.glob(os.path.join(ROOT, "tests", suite, "test_*.py"))):
        name = os.path.basename(path)[5:-3]
        if pattern in name:
            yield f"{suite}/{name}", [sys.executable, os.path.join(ROOT, "tests", "run_module.py"), path]


def count(name, output):
    """(passed, failed, skipped) as the job itself said, or None when it did not get that far."""
    if name.startswith("unit/"):
        passed = re.search(r"\[  PASSED  \] (\d+) test", output)
        failed = re.search(r"\[  FAILED  \] (\d+) test", output)
        skipped = re.search(r"\[  SKIPPED \] (\d+) test", output)
        return (int(passed[1]), int(failed[1]) if failed else 0, int(skipped[1]) if skipped else 0) if passed else None
    said = re.search(r"^RESULT passed=(\d+) failed=(\d+) skipped=(\d+)$", output, re.M)
    return (int(said[1]), int(said[2]), int(said[3])) if said else None


def run(job):
    name, command = job
    began, patience = time.monotonic(), JOB_SECONDS + int(os.environ.get("TASKER_MODEL_RUNS") or 0) // 10  # as many runs as somebody asks for
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=patience, check=False, cwd=ROOT)
        output, code = done.stdout.decode(errors="replace"), done.returncode
    except subprocess.TimeoutExpired as e:
        output, code = (e.stdout or b"").decode(errors="replace") + f"\nstopped after {patience} s", 1
    counts = count(name, output)
    if counts is None:
        counts = (0, 1, 0)
    if code and not counts[1]:
        counts = (counts[0], 1, counts[2])  # a crash or a sanitizer after the last test
    return name, counts, time.monotonic() - began, output


def run_all(jobs, places):
    """What became of each, as they end. There begins whichever is the first of those left that has room."""
    left, free, running = sorted(jobs, key=lambda j: LONGEST.index(j[0]) if j[0] in LONGEST else len(LONGEST)), places, {}

    def takes(job):
        return min(HEAVY.get(job[0], 1), places)
    with concurrent.futures.ThreadPoolExecutor(places) as pool:
        while left or running:
            while begun := next((job for job in left if takes(job) <= free), None):
                left.remove(begun)
                free -= takes(begun)
                running[pool.submit(run, begun)] = begun
            for done in concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED).done:
                free += takes(running.pop(done))
                yield done.result()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", nargs="?", default="all", help=f"all, {', '.join(SUITES)}")
    parser.add_argument("name", nargs="?", default="", help="only jobs whose name contains this")
    parser.add_argument("--jobs", type=int, default=int(os.environ.get("TASKER_TEST_JOBS", JOBS)))
    parser.add_argument("--runs", help="of suite model: how many random tasks")
    parser.add_argument("--seed", help="of suite model: repeats the tasks of that seed")
    parser.add_argument("--without", action="append", default=[], help="suites to leave out of all")
    args = parser.parse_args()
    if args.suite not in ["all", *SUITES]:
        parser.error(f"unknown suite '{args.suite}': all, {', '.join(SUITES)}")
    for name in ("runs", "seed"):
        if getattr(args, name):
            os.environ["TASKER_MODEL_" + name.upper()] = getattr(args, name)
    build = os.path.join(ROOT, os.environ.get("TASKER_BUILD", "build"))
    jobs = []
    for suite in SUITES if args.suite == "all" else [args.suite]:
        if suite not in args.without:
            jobs += unit_jobs(build, args.name) if suite == "unit" else python_jobs(suite, args.name)
    if not jobs:
        print(f"no test of suite '{args.suite}' is called like '{args.name}'", file=sys.stderr)
        return 2

    total = [0, 0, 0]
    tty = sys.stdout.isatty()

    def report(name, counts, seconds, output):
        for i in range(3):
            total[i] += counts[i]
        word = "FAILED" if counts[1] else "ok"
        word = f"\033[{31 if counts[1] else 32}m{word}\033[0m" if tty else word
        print(f"{word:6} {name:34} {counts[0]:4} passed" + (f", {counts[1]} failed" if counts[1] else "")
              + (f", {counts[2]} skipped" if counts[2] else "") + f"  {seconds:.1f} s", flush=True)
        if counts[1]:
            print("\n".join("    " + line for line in output.splitlines()[-200:]), flush=True)

    for done in run_all(jobs, max(1, args.jobs)):
        report(*done)
    if total[2]:
        print(f"({total[2]} skipped)")
    print(f"{total[0]} passed, {total[1]} failed")
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())
