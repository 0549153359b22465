# SPDX-License-Identifier: MIT
"""Runs of tasker-bench, and what they measured. A failed task or a wrong value ends the whole run: a fast wrong answer is no figure."""
import json
import os
import subprocess
import sys
import tempfile

SAMPLES = "samples"


class Wrong(Exception):
    pass


class Later:
    """Runs whose values are read back when nothing is measured any more: reading thousands of tasks takes as long as running them."""

    def __init__(self):
        self._all, self._runs = tempfile.TemporaryDirectory(), []

    def begin(self, graphs):
        """A folder for the files of one run, and the client's arguments that name them."""
        folder = os.path.join(self._all.name, str(len(self._runs)))
        os.makedirs(folder)
        self._runs.append((folder, files(graphs, folder)))
        return self._runs[-1]

    def read_back(self, binary, url):
        """Every value of every run so far, once. Tasks and steps that were read."""
        found = {"tasks": 0, "steps": 0}
        while self._runs:
            folder, argv = self._runs.pop(0)
            tell(f"  reading values back, {found['steps']:,} steps were right")
            done = subprocess.run([binary, "--url", url, *argv, "--clients", "64", "--read-back", os.path.join(folder, SAMPLES)],
                                  stdout=subprocess.PIPE, text=True, check=False)
            verified = right(done.stdout, done.returncode)["verified"]
            found = {key: found[key] + verified[key] for key in found}
        tell("")
        return found


def files(graphs, folder):
    argv = []
    for graph in graphs:
        body, expect = graph.write(folder)
        argv += ["--body", body, "--expect", expect]
    return argv


def tell(text):
    if sys.stderr.isatty():
        print("\r" + text.ljust(70) + ("" if text else "\r"), end="", file=sys.stderr, flush=True)


def right(line, status):
    """The summary of a client, if all was as it should be."""
    if not line:
        raise Wrong(f"the client ended with {status} and no figures")
    summary = json.loads(line)
    verified = summary["verified"]
    if status:
        raise Wrong(f"{summary['failed']} tasks failed, {summary['bad']} answers were refused, {verified['wrong']} values were wrong, {verified['unread']} tasks could not "
                    f"be read: {verified['why']}")
    return summary


def run(binary, url, graphs, progress=False, loaded=None, later=None, **options):
    """`loaded` is called when all tasks are done, before they are read back; with `later` that is left to it. The summary of the client, with `seconds_seen` (one entry
    per second) and `samples` [(uuid, begin s, submit ms, total ms, place of its graph)]."""
    with tempfile.TemporaryDirectory() as own:
        folder, argv = later.begin(graphs) if later else (own, files(graphs, own))
        samples = os.path.join(folder, SAMPLES)
        argv = [binary, "--url", url, "--samples", samples, *argv, *(["--unread"] if later else [])]
        for name, value in options.items():
            argv += ["--" + name.replace("_", "-"), str(value)]
        seen, summary = [], None
        with subprocess.Popen(argv + ["--progress"] + (["--pause"] if loaded else []), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
            for line in p.stdout:
                value = json.loads(line)
                if "loaded" in value:
                    loaded()
                    p.stdin.write("\n")
                    p.stdin.flush()
                    continue
                if "second" not in value:
                    summary = line
                    continue
                seen.append(value)
                if progress:
                    tell(f"  {value['second']:5.0f} s  {value['done']:6} tasks/s  {value['open']:6} open  {value['refused']} refused ")
        if progress:
            tell("")
        summary = right(summary, p.returncode)
        with open(samples, encoding="ascii") as f:
            rows = [line.split() for line in f]
    return summary | {"seconds_seen": seen, "samples": [(r[0], float(r[1]), float(r[2]), float(r[3]), int(r[4])) for r in rows]}
