#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs libFuzzer on every target, two side by side; scripts/test fuzz is its front door. Starts from tests/fuzz/corpus and from what earlier runs
found (build-fuzz/corpus). An input that crashes, leaks, hangs or breaks a property is kept in build-fuzz/found: mend the cause, and move it to
tests/fuzz/crashes/TARGET, where every unit run replays it."""
import argparse
import concurrent.futures
import glob
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.join(ROOT, "tests", "fuzz")
BUILD = os.path.join(ROOT, "build-fuzz")
LIMITS = ["-timeout=10", "-rss_limit_mb=2048", "-max_len=65536", "-print_final_stats=1"]
ENV = {"ASAN_OPTIONS": "detect_leaks=1", "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"}


def fuzz(target, seconds):
    """(whether nothing was found, what to say)."""
    corpus, found = os.path.join(BUILD, "corpus", target), os.path.join(BUILD, "found", target + "-")
    os.makedirs(corpus, exist_ok=True)
    os.makedirs(os.path.dirname(found), exist_ok=True)
    seeds = [f for f in (os.path.join(HERE, kind, target) for kind in ("corpus", "crashes")) if os.path.isdir(f)]
    done = subprocess.run([os.path.join(BUILD, "tests", "fuzz_" + target), f"-max_total_time={seconds}", f"-artifact_prefix={found}", *LIMITS, corpus, *seeds],
                          env={**os.environ, **ENV}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    output = done.stdout.decode(errors="replace")
    runs = re.search(r"number_of_executed_units: (\d+)", output)
    cover = re.findall(r"cov: (\d+)", output)
    said = f"{target:10} {runs[1] if runs else '?':>9} runs, {cover[-1] if cover else '?'} edges"
    return done.returncode == 0, said + ("" if done.returncode == 0 else "\n" + "\n".join("    " + line for line in output.splitlines()[-60:]))


def main():
    targets = sorted(os.path.basename(f)[5:] for f in glob.glob(os.path.join(BUILD, "tests", "fuzz_*")))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", nargs="?", choices=targets, help="only this one")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    args = parser.parse_args()
    failed = 0
    wanted = [args.target] if args.target else targets
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for good, said in pool.map(lambda target: fuzz(target, args.seconds), wanted):
            failed += not good
            print(f"{'ok' if good else 'FAILED':6} {said}", flush=True)
    print(f"{len(wanted) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
