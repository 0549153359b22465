# SPDX-License-Identifier: MIT
"""The output of perf, bpftrace and heaptrack as folded stacks (see flame.py)."""
import os
import re

LIBRARIES = (("kernel", "kernel"), ("vdso", "kernel"), ("libgrpc", "grpc"), ("libgpr", "grpc"), ("libabsl", "grpc"), ("libupb", "grpc"), ("libaddress_sorting", "grpc"),
             ("libpq", "pq"), ("libmicrohttpd", "http"), ("libprotobuf-c", "protobuf"), ("libjansson", "jansson"), ("libcrypto", "crypto"), ("libgmp", "gmp"),
             ("libhiredis", "redis"), ("libstdc++", "grpc"), ("libtasker_", "handler"), ("libtasker-worker", ""), ("tasker-", ""), ("libc.so", "libc"), ("libc-", "libc"),
             ("ld-linux", "libc"), ("libm.so", "libc"), ("postgres", "postgres"), ("plpgsql", "plpgsql"))
FRAME = re.compile(r"^\s+([0-9a-f]+) (.*) \((.*)\)$")
BOTTOM = {"clone3", "start_thread", "thread_main", "runner_main", "__libc_start_call_main", "__libc_start_main", "_start", "main"}  # the same for every thread


def library(path):
    base = path.strip("[]").split("/")[-1]
    return next((name for start, name in LIBRARIES if base.startswith(start)), base.split(".so")[0] or "?")


def clean(symbol):
    """A C++ symbol without its arguments and template parameters; a C one without what the compiler has added."""
    symbol = re.sub(r"\.(isra|part|constprop|cold)\.?\d*", "", symbol)
    if symbol.startswith("std::_Function_handler"):
        return "std::function"
    while True:
        shorter = re.sub(r"<[^<>]*>", "", symbol)
        if shorter == symbol:
            break
        symbol = shorter
    return symbol.split("(")[0].split("@")[0][:60].replace(";", ":").replace(" ", "")


def frame(symbol, path):
    lib = library(path)
    if symbol in ("[unknown]", "") or symbol.startswith("0x"):
        return f"[{lib}]" if lib else "?"
    name = clean(symbol)
    return f"{name} [{lib}]" if lib else name


def add(stacks, thread, frames, value):
    """`frames` leaf first. What has no name is told once per library."""
    out = [f"{thread} [thread]"]
    for name in reversed(frames):
        if name.split(" [")[0] in BOTTOM or name in ("?", "[unknown]", "[?]"):
            continue
        if name.startswith("[") and (out[-1] == name or out[-1].endswith(" " + name)):
            continue
        out.append(name)
    key = tuple(out)
    stacks[key] = stacks.get(key, 0) + value


def thread(comm):
    """Pools of equal threads are one."""
    return re.sub(r"[-/:]?\d+$", "", comm.strip()).replace(";", ":").replace(" ", "_") or "?"


def perf(text):
    """`perf script -F comm,tid,period,ip,sym,dso`, in µs of CPU."""
    stacks, name, value, frames = {}, None, 0, []
    for line in text.splitlines():
        found = FRAME.match(line)
        if found:
            frames.append(frame(re.sub(r"\+0x[0-9a-f]+$", "", found[2]), found[3]))
        elif line.strip():
            words = line.rsplit(None, 2)
            name, value, frames = thread(words[0]), int(words[2].rstrip(":")) / 1000, []
        elif name is not None:
            add(stacks, name, frames, value)
            name = None
    if name is not None:
        add(stacks, name, frames, value)
    return stacks


def bpftrace(text):
    """Maps of scripts/trace: "@map[thread or lock, <stack> ]: µs", the stack in lines of its own."""
    stacks, name, frames = {}, None, []
    for line in text.splitlines():
        begin, end = re.match(r"^@\w+\[(.*?), *$", line), re.match(r"^\]: (\d+)$", line)
        if begin:
            name, frames = thread(begin[1]), []
        elif end and name is not None:
            add(stacks, name, frames, int(end[1]))
            name = None
        elif name is not None and line.strip():
            found = re.match(r"^\s+([0-9a-f]+) (.*) \((.*)\)$", line)
            if found:
                frames.append(frame(re.sub(r"\+\d+$", "", found[2]), found[3]))
            else:
                frames.append(clean(re.sub(r"\+\d+$", "", line.strip())))
    return stacks


def libraries(maps):
    """[(begin, end, library)] of the text of a /proc/PID/maps, to name addresses that have no symbol."""
    found = [re.match(r"^([0-9a-f]+)-([0-9a-f]+) \S*x\S* .* (/\S+)$", line) for line in maps.splitlines()]
    return [(int(m[1], 16), int(m[2], 16), library(m[3])) for m in found if m]


def heaptrack(text, maps):
    """`heaptrack_print -F`: "a;b;c 12", root first, C++ names and all."""
    stacks, where = {}, libraries(maps)
    for line in text.splitlines():
        names, _, value = line.rpartition(" ")
        if not names or not value.isdigit():
            continue
        frames = [name for name in (heap_frame(name, where) for name in names.split(";")) if name != "?" and name.split(" [")[0] not in BOTTOM]
        folded = [name for i, name in enumerate(frames) if not i or name != frames[i - 1]]
        key = tuple(folded) or ("?",)
        stacks[key] = stacks.get(key, 0) + int(value)
    return stacks


def heap_frame(name, where):
    name = name.strip()
    if re.fullmatch("0x[0-9a-f]+", name):
        at = int(name, 16)
        return next((f"[{lib}]" if lib else "?" for begin, end, lib in where if begin <= at < end), "?")
    if name.startswith("<unresolved") or not name:
        return "?"
    if "::" in name or name.startswith(("grpc_", "grpc::", "gpr_", "upb_")):
        return f"{clean(name)} [grpc]"
    if name.startswith(("MHD_", "microhttpd")):
        return f"{clean(name)} [http]"
    if name.startswith(("PQ", "pq")):
        return f"{clean(name)} [pq]"
    if name.startswith("json_"):
        return f"{clean(name)} [jansson]"
    if name.startswith("protobuf_c"):
        return f"{clean(name)} [protobuf]"
    return clean(os.path.basename(name) if name.startswith("/") else name)
