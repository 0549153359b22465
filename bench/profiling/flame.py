# SPDX-License-Identifier: MIT
"""Folded stacks as an SVG flame graph, and as tables.

A profile is {(frame, frame, …): value}, root first; a frame is "name [where]", where tells whose code it is and gives the colour. Frames too narrow to be
seen are left out, and the threshold grows until the file is small enough to be committed. Every frame has its share in a tooltip; without scripts,
so that it shows wherever an image does.
"""
from xml.sax.saxutils import escape

WIDTH, ROW, TOP, SIDE, CHAR = 1200, 16, 40, 8, 6.6
BYTES_MAX = 290_000
COLOURS = {"kernel": "#d98c7a", "grpc": "#e0b060", "pq": "#8fb98b", "http": "#b59ad6", "libc": "#b8bcc4", "thread": "#7f8a99", "postgres": "#8fb98b", "lock": "#d98c7a"}
OURS = "#7fb0e6"


def read(text):
    """Lines "a;b;c 12" as a profile."""
    stacks = {}
    for line in text.splitlines():
        frames, _, value = line.rpartition(" ")
        if frames:
            key = tuple(frames.split(";"))
            stacks[key] = stacks.get(key, 0) + float(value)
    return stacks


def write(stacks):
    return "".join(f"{';'.join(frames)} {value:.0f}\n" for frames, value in sorted(stacks.items()))


def where(frame):
    return frame[frame.rindex("[") + 1:-1] if frame.endswith("]") else ""


class Node:
    def __init__(self, name):
        self.name, self.value, self.children = name, 0.0, {}


def tree(stacks, root):
    top = Node(root)
    for frames, value in stacks.items():
        node = top
        node.value += value
        for frame in frames:
            node = node.children.setdefault(frame, Node(frame))
            node.value += value
    return top


def boxes(node, total, x, depth, least, out):
    width = node.value / total * (WIDTH - 2 * SIDE)
    if depth and width < least:  # the root is there even when nothing was seen
        return
    out.append((node.name, x, width, depth, node.value))
    for child in sorted(node.children.values(), key=lambda n: n.name):
        boxes(child, total, x, depth + 1, least, out)
        x += child.value / total * (WIDTH - 2 * SIDE)


def draw(title, unit, found, total):
    depth = max(box[3] for box in found) + 1
    height = TOP + depth * ROW + 24
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="monospace" font-size="11" role="img">',
           f"<title>{escape(title)}</title>", f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
           f'<text x="{SIDE}" y="22" font-size="15" font-weight="bold" font-family="sans-serif">{escape(title)}</text>']
    for name, x, width, level, value in found:
        y = height - 20 - (level + 1) * ROW
        told = f"{name}: {value:,.0f} {unit}, {100 * value / total:.1f} %"
        fits = int((width - 4) / CHAR)
        text = name if len(name) <= fits else name[:fits - 1] + "…" if fits > 3 else ""
        out.append(f'<g><title>{escape(told)}</title><rect x="{x + SIDE:.1f}" y="{y}" width="{max(width - 0.4, 0.4):.1f}" height="{ROW - 1}" '
                   f'fill="{COLOURS.get(where(name), OURS)}"/>' + (f'<text x="{x + SIDE + 2:.1f}" y="{y + 11}">{escape(text)}</text>' if text else "") + "</g>")
    return "\n".join(out + ["</svg>"]) + "\n"


def svg(stacks, title, unit):
    """The text of an SVG file of at most BYTES_MAX."""
    total, least = sum(stacks.values()) or 1.0, 0.6
    top = tree(stacks, f"all: {total:,.0f} {unit}")
    while True:
        found = []
        boxes(top, total, 0.0, 0, least, found)
        text = draw(title, unit, found, total)
        if len(text.encode()) <= BYTES_MAX:
            return text
        least *= 1.4


def shares(stacks, of):
    """{what `of(frames)` names: share}, largest first; `of` returns a set, so that one stack may count for several."""
    total, found = sum(stacks.values()) or 1.0, {}
    for frames, value in stacks.items():
        for name in of(frames):
            found[name] = found.get(name, 0.0) + value / total
    return sorted(found.items(), key=lambda item: -item[1])


def table(title, rows, n=10):
    return [f"\n{title}", *(f"  {100 * share:5.1f} %  {name}" for name, share in rows[:n])]


PURPOSES = (  # what a stack is spent on: the first that has a frame beginning like this
    ("waking another thread (futex)", ("futex_wake", "do_futex_wake", "__lll_lock_wake", "__GI___lll_lock_wake", "pthread_cond_signal", "___pthread_cond_signal", "pthread_cond_broadcast")),
    ("going to sleep and waking up (futex, poll, epoll)", ("__schedule", "schedule", "futex_wait", "do_epoll_wait", "do_sys_poll", "pthread_cond_wait", "__futex_abstimed_wait")),
    ("sockets: sending", ("__sys_sendmsg", "__x64_sys_sendto", "__sys_sendto", "__libc_sendmsg", "__send", "sock_sendmsg", "unix_stream_sendmsg")),
    ("sockets: receiving", ("__sys_recvmsg", "__x64_sys_recvfrom", "__sys_recvfrom", "__libc_recvmsg", "__libc_recv", "recv")),
    ("other system calls", ("entry_SYSCALL", "do_syscall")),
    ("malloc and free", ("malloc", "_int_malloc", "_int_free", "calloc", "__libc_calloc", "realloc", "free", "cfree", "malloc_consolidate", "tcache", "unlink_chunk", "sysmalloc")),
    ("clock", ("__vdso_clock", "clock_gettime", "__clock_gettime", "tk_time_")),
    ("JSON", ("json_", "tk_json", "[jansson]", "work_document", "put_metadata")),
    ("logging", ("tk_log",)),
    ("locks, uncontended", ("pthread_mutex", "___pthread_mutex", "__pthread_mutex", "tk_lock")),
    ("histograms and counters", ("tk_spread_observe", "tk_metric", "tk_meter")),
    ("UUIDs, hashing, identity", ("tk_uuid", "tk_sha256", "EVP_", "SHA", "[crypto]", "tk_rand")),
)
LIBRARIES = {"grpc": "gRPC in user space", "pq": "libpq in user space", "http": "libmicrohttpd in user space", "protobuf": "protobuf", "kernel": "kernel, other",
             "handler": "handlers", "gmp": "handlers", "postgres": "PostgreSQL in user space", "plpgsql": "PL/pgSQL"}


def purpose(frames):
    for name, starts in PURPOSES:
        if any(frame.startswith(starts) for frame in frames[1:]):
            return name
    return next((LIBRARIES[lib] for lib in map(where, reversed(frames)) if lib in LIBRARIES), "our own code")


def tables(stacks, n=10):
    """By thread; by purpose; what runs itself; what is under it all together (our own functions)."""
    lines = table("by thread", shares(stacks, lambda f: {f[0][:-len(" [thread]")]}), 20)
    lines += table("what for (each stack once)", shares(stacks, lambda f: {purpose(f)}), 16)
    lines += table("by library", shares(stacks, lambda f: {where(f[-1]) or "tasker"}), 12)
    lines += table("itself", shares(stacks, lambda f: {f[-1]}), n)
    homes = ("",) if any(not where(frame) for frames in stacks for frame in frames[1:]) else ("postgres", "plpgsql")
    lines += table("with all it calls", shares(stacks, lambda f: {frame for frame in f[1:] if where(frame) in homes}), 2 * n if homes == ("",) else 50)
    lines += table("with all it calls, entries into libraries and the kernel", shares(stacks, entries), n)
    return "\n".join(lines) + "\n"


def entries(frames):
    """Where our code calls somebody else's: "caller → callee"."""
    return {f"{a} → {b}" for a, b in zip(frames[1:], frames[2:]) if not where(a) and where(b)}
