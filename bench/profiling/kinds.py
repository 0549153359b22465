# SPDX-License-Identifier: MIT
"""The kinds of profiles that look at one process: its CPU, its sleep, its allocations. Each fills a folder and returns the lines of its table."""
import os
import re
import shutil
import signal
import subprocess
import time

from lib import system as lib
from profiling import flame, stacks
from profiling.clocks import differences
from profiling.session import need, quiet

TRACE = os.path.join(lib.ROOT, "scripts", "trace", "run")
HEAPTRACK = ("/usr/lib/heaptrack/libheaptrack_preload.so", "/usr/lib/heaptrack/libexec/heaptrack_interpret")
STACK_BYTES = {"dwarf": "dwarf,16384", "fp": "fp"}


def leave(folder, found, title, unit, head):
    """Graph, folded stacks and table of a profile."""
    folder.put("stacks.folded", flame.write(found))
    folder.put("graph.svg", flame.svg(found, title, unit))
    if not found:
        head.append("nothing was seen: it was asleep all the time")
    text = "\n".join(head) + "\n" + flame.tables(found)
    folder.put("table.txt", text)
    return text


def title(session, kind, service):
    return f"{kind}, {service}, load: {session.args.load}"


def per_step(done, value):
    return value / done["steps"] if done.get("steps") else 0.0


def record(session, service, data):
    """Of all its processes. perf attaches to none when one of them has just ended, as workers of autovacuum do: then of those that there are now."""
    for last in (False, False, True):
        pids = ",".join(map(str, session.pids(service)))
        done = subprocess.run(["perf", "record", "-q", "-F", str(session.args.frequency), "-e", "cpu-clock", "--call-graph", STACK_BYTES[session.args.stacks],
                               "-p", pids, "-o", data, "--", "sleep", str(session.seconds)], check=last, stderr=subprocess.DEVNULL)
        if not done.returncode:
            return


def cpu(session, service, folder):
    """Samples of the CPU's clock with their stacks. DWARF unwinds through libraries that were built without frame pointers, which are most."""
    need("perf", "linux-perf")
    data = folder.file("perf.data")
    with session.load() as done:
        before = session.cpu(service)
        record(session, service, data)
        used = session.cpu(service) - before
    found = stacks.perf(quiet("perf", "script", "--no-inline", "-F", "comm,tid,period,ip,sym,dso", "-i", data))
    os.remove(data)
    head = [f"{title(session, 'CPU', service)}: {used:.2f} s of CPU in {session.seconds} s, {100 * used / session.seconds:.0f} % of a core"]
    if done.get("steps"):
        head.append(f"{done['steps']:,} steps in {done['seconds']:.1f} s; {1e6 * used / session.seconds / (done['steps'] / done['seconds']):.1f} µs of CPU per step")
    return leave(folder, found, title(session, "CPU", service), "µs", head)


def offcpu(session, service, folder):
    """Sleep by stack, from the scheduler's tracepoint. Where the kernel forbids that, our own wait times have to do."""
    if not (shutil.which("bpftrace") and os.geteuid() == 0):
        return "bpftrace and root are needed for stacks (apt-get install bpftrace); what our own clocks say instead:\n" + waits_only(session, service, folder)
    pid = str(session.pids(service)[0])
    with session.load():
        done = subprocess.run([TRACE, "offcpu", "--seconds", str(session.seconds), "--build", lib.BUILD, pid], capture_output=True, text=True, check=False)
    found = stacks.bpftrace(done.stdout)
    if not found:
        return f"bpftrace saw nothing ({done.stderr.strip().splitlines()[-1:]}); what our own clocks say instead:\n" + waits_only(session, service, folder)
    return leave(folder, found, title(session, "off the CPU", service), "µs", [f"{title(session, 'off the CPU', service)}, {session.seconds} s"])


def waits_only(session, service, folder):
    before = session.runtime(service)
    with session.load():
        time.sleep(session.seconds)
    text = differences(before, session.runtime(service))
    folder.put("table.txt", text)
    return text


def alloc(session, service, folder):
    """Who allocates: heaptrack, which the service is started again with. How often: malloc and its kin counted in a second run without it."""
    need("heaptrack", "heaptrack")
    counted = count_mallocs(session, service, folder)
    raw, interpreted = folder.file("heaptrack.raw"), folder.file("heaptrack.txt")
    session.restart(service, {"LD_PRELOAD": HEAPTRACK[0], "DUMP_HEAPTRACK_OUTPUT": raw})
    with session.load() as done:
        time.sleep(session.seconds)
    with open(f"/proc/{session.pids(service)[0]}/maps", encoding="utf-8") as f:
        maps = f.read()
    session.end(service)
    session.begin(service, {"LD_PRELOAD": "", "DUMP_HEAPTRACK_OUTPUT": ""})  # as it was: what it did is read back from it
    with open(raw, "rb") as source, open(interpreted, "wb") as to:
        subprocess.run([HEAPTRACK[1]], stdin=source, stdout=to, stderr=subprocess.DEVNULL, check=True)
    folded = folder.file("allocations.folded")
    report = quiet("heaptrack_print", "-f", interpreted, "-p", "0", "-T", "1", "-a", "1", "-n", "10", "-s", "2", "--flamegraph-cost-type", "allocations", "-F", folded)
    with open(folded, encoding="utf-8", errors="replace") as f:
        found = stacks.heaptrack(f.read(), maps)
    for path in (raw, interpreted, folded):
        os.remove(path)
    folder.put("heaptrack.report.txt", report)
    totals = re.findall(r"^(?:total runtime|calls to allocation functions|temporary memory allocations|peak heap memory consumption|peak RSS.*|total memory leaked):.*$", report, re.M)
    calls = re.search(r"calls to allocation functions: (\d+)", report)
    head = [title(session, "allocations", service), *counted, *totals]
    if calls and done.get("steps"):
        head.append(f"{per_step(done, int(calls[1])):.1f} allocations per step with heaptrack, start of the process included")
    folder.put("stacks.folded", flame.write(found))
    folder.put("graph.svg", flame.svg(found, title(session, "allocations", service), "allocations"))
    lines = flame.table("with all it calls, of ours", flame.shares(found, lambda f: {x for x in f if not flame.where(x)}), 25)
    lines += flame.table("by library of the innermost frame", flame.shares(found, lambda f: {flame.where(f[-1]) or "tasker"}), 8)
    lines += flame.table("innermost", flame.shares(found, lambda f: {f[-1]}), 15)
    text = "\n".join(head + lines) + "\n"
    folder.put("table.txt", text)
    return text


MALLOC = """uprobe:{libc}:malloc, uprobe:{libc}:calloc, uprobe:{libc}:realloc /pid == {pid}/ {{ @[comm] = count(); }}
interval:s:{seconds} {{ exit(); }}"""


def count_mallocs(session, service, folder):
    """Calls per step and thread, or why they are not known."""
    if not (shutil.which("bpftrace") and os.geteuid() == 0):
        return ["calls per step: not counted, bpftrace and root are needed"]
    pid = session.pids(service)[0]
    with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as f:
        libc = next(line.split()[-1] for line in f if "/libc.so" in line or "/libc-" in line)
    program = MALLOC.format(libc=libc, pid=pid, seconds=session.seconds)
    with session.load():
        before = session.steps()
        done = subprocess.run(["bpftrace", "-e", program], capture_output=True, text=True, check=False)
        steps = session.steps() - before
    counts = {}
    for name, n in re.findall(r"^@\[(.*)\]: (\d+)$", done.stdout, re.M):
        counts[stacks.thread(name)] = counts.get(stacks.thread(name), 0) + int(n)
    folder.json("mallocs.json", {"steps": steps, "calls": counts})
    if not counts or not steps:
        return [f"calls per step: not counted ({done.stderr.strip()[-200:]})"]
    rows = sorted(counts.items(), key=lambda item: -item[1])
    return [f"{sum(counts.values()) / steps:.1f} calls of malloc, calloc and realloc per step ({steps:,} steps, {session.args.load}), by thread: "
            + ", ".join(f"{name} {n / steps:.1f}" for name, n in rows if n / steps >= 0.05)]


def interrupted(process):
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=60)[0]
