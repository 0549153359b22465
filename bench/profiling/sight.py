# SPDX-License-Identifier: MIT
"""What introspection costs, as an upper bound: how often a step calls each of its functions, counted in the running services, times what one call costs at worst.

Model: a probe on each function counts its calls per step; tasker-micro says what a call takes while another thread does the same to the same figure, which is worse than
anything that happens. Every reading of a clock counts as introspection, though deadlines and leases need many of them. The sum is held against the CPU that a step costs
in all: at saturation that is what throughput is made of. Static tracepoints are a nop each and are not in the sum.
"""
import json
import os
import re
import shutil
import subprocess
import time

from cost import cpu_seconds, pids
from lib import system as lib

FUNCTIONS = ("tk_spread_observe", "tk_meter_add", "tk_meter_set", "tk_meter_note", "tk_metric_add", "tk_metric_set", "tk_metric_add_l", "tk_metric_observe", "tk_time_mono_ns")
CLOCK = "tk_time_mono_ns"
PROGRAMS = {"orchestrator": "bin/tasker-orchestrator", "worker": "lib/libtasker-worker.so.1", "cache": "bin/tasker-cache"}
PAGE_NS = 15  # what a message adds to the counters of its mailbox, under a lock that is held anyway, and a batch to those of its actor


def symbols(path):
    text = subprocess.run(["nm", path], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r" [tT] (\w+)$", text, re.M))


def program(seconds):
    lines = []
    for service, file in PROGRAMS.items():
        path = os.path.join(lib.BUILD, file)
        lines += [f'uprobe:{path}:{function} {{ @["{service}", "{function}"] = count(); }}' for function in sorted(symbols(path) & {*FUNCTIONS})]
        lines.append(f'usdt:{path}:tasker:message_sent {{ @["{service}", "messages"] = count(); }}')
    lines.append(f'usdt:{os.path.join(lib.BUILD, PROGRAMS["worker"])}:tasker:handler_end {{ @["worker", "steps"] = count(); }}')
    return "\n".join([*lines, f"interval:s:{seconds} {{ exit(); }}"])


def costs():
    """{function: (ns alone, ns when two threads do it)}"""
    done = subprocess.run([os.path.join(lib.BIN, "tasker-micro"), "sight"], capture_output=True, text=True, check=True)
    found = {}
    for line in map(json.loads, done.stdout.splitlines()):
        name, _, how = line["name"].partition(", ")
        if name in FUNCTIONS:
            found.setdefault(name, {})[how] = line["ns"]
    return {name: (ns["alone"], ns["two threads"]) for name, ns in found.items()}


def used(system):
    return sum(cpu_seconds(p) for group in pids(system).values() for p in group)


def sight(session, _service, folder):
    if not (shutil.which("bpftrace") and os.geteuid() == 0):
        raise SystemExit("scripts/profile sight: bpftrace and root are needed")
    ns = costs()
    with session.load():  # first undisturbed: what a step costs
        before, steps = used(session.system), session.steps()
        time.sleep(session.seconds)
        steps = max(1, session.steps() - steps)
        cpu_ns = 1e9 * (used(session.system) - before) / steps
    with session.load():
        done = subprocess.run(["bpftrace", "-e", program(session.seconds)], capture_output=True, text=True, check=False)
    found, calls = re.findall(r"^@\[(\w+), (\w+)\]: (\d+)$", done.stdout, re.M), {}
    counted = next((int(n) for _, what, n in found if what == "steps"), 0)  # by the same probes: attaching them takes its time
    if not counted:
        raise SystemExit(f"scripts/profile sight: bpftrace counted nothing: {done.stderr.strip()[-300:]}")
    for service, function, n in found:
        calls.setdefault(function, {})[service] = int(n) / counted
    lines = [f"introspection, load: {session.args.load}: {cpu_ns / 1000:.1f} µs of CPU per step, of the three services and PostgreSQL ({steps:,} steps)", "",
             f"{'function':20} {'calls per step':>15} {'orchestrator':>13} {'worker':>8} {'cache':>7} {'ns alone':>9} {'ns two threads':>15} {'ns per step at worst':>21}"]
    total = alone = clock = 0.0
    for function in FUNCTIONS:
        here = calls.get(function, {})
        n, (one, two) = sum(here.values()), ns[function]
        worst = n * max(one, two)
        total, alone, clock = total + worst, alone + n * one, clock + (worst if function == CLOCK else 0)
        lines.append(f"{function:20} {n:15.2f} {here.get('orchestrator', 0):13.2f} {here.get('worker', 0):8.2f} {here.get('cache', 0):7.2f} {one:9.1f} {two:15.1f} {worst:21.0f}")
    posts = sum(calls.get("messages", {}).values())
    total, alone = total + posts * PAGE_NS, alone + posts * PAGE_NS
    lines += [f"{'mailbox, actor':20} {posts:15.2f} {'':51} {posts * PAGE_NS:34.0f}", "",
              f"at worst {total:,.0f} ns per step: {100 * total / cpu_ns:.2f} % of its CPU; every clock reading counted, {clock:,.0f} ns of it",
              f"with what a call costs alone: {alone:,.0f} ns, {100 * alone / cpu_ns:.2f} %; histograms, meters and counters without clocks at worst: {100 * (total - clock) / cpu_ns:.2f} %"]
    text = "\n".join(lines) + "\n"
    folder.json("sight.json", {"cpu_ns_per_step": cpu_ns, "worst_ns": total, "clock_ns": clock, "alone_ns": alone, "calls": calls, "ns": ns})
    folder.put("table.txt", text)
    return text
