# SPDX-License-Identifier: MIT
"""One run of tasker-bench, and what it measured. A failed task or a wrong value ends the whole run: a fast wrong answer is no figure."""
import json
import os
import subprocess
import sys
import tempfile


class Wrong(Exception):
    pass


def run(binary, url, graphs, progress=False, loaded=None, **options):
    """`loaded` is called when all tasks are done, before they are read back. The summary of the client, with `seconds_seen` (one entry per second) and `samples` [(uuid, begin s, submit ms, total ms)]."""
    with tempfile.TemporaryDirectory() as folder:
        samples = os.path.join(folder, "samples")
        argv = [binary, "--url", url, "--samples", samples]
        for graph in graphs:
            body, expect = graph.write(folder)
            argv += ["--body", body, "--expect", expect]
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
                    summary = value
                    continue
                seen.append(value)
                if progress and sys.stderr.isatty():
                    print(f"\r  {value['second']:5.0f} s  {value['done']:6} tasks/s  {value['open']:6} open  {value['refused']} refused ", end="", file=sys.stderr, flush=True)
        if progress and sys.stderr.isatty():
            print("\r" + " " * 70 + "\r", end="", file=sys.stderr)
        if summary is None:
            raise Wrong(f"the client ended with {p.returncode} and no figures")
        if p.returncode:
            raise Wrong(f"{summary['failed']} tasks failed, {summary['bad']} answers were refused, {summary['verified']['wrong']} values were wrong: {summary['verified']['why']}")
        with open(samples, encoding="ascii") as f:
            rows = [line.split() for line in f]
    return summary | {"seconds_seen": seen, "samples": [(r[0], float(r[1]), float(r[2]), float(r[3])) for r in rows]}
