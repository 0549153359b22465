# SPDX-License-Identifier: MIT
"""The tables of a folder of profiles (scripts/profile all --out DIR) as one page of Markdown: nothing in it is written by hand."""
import os
import re

SERVICES, LOADS = ("orchestrator", "worker", "postgres"), ("tiers", "linear", "large")


class Profiles:
    def __init__(self, folder):
        self.folder = folder

    def text(self, *name):
        path = os.path.join(self.folder, "-".join(name), "table.txt")
        if not os.path.exists(path):
            return None
        with open(path, encoding="utf-8") as f:
            return f.read()

    def links(self, *name):
        found = [(what, os.path.join("-".join(name), file)) for what, file in (("graph", "graph.svg"), ("table", "table.txt"))]
        return ", ".join(f"[{what}]({path})" for what, path in found if os.path.exists(os.path.join(self.folder, path)))

    def each(self, kind, services=SERVICES, loads=LOADS):
        for service in services:
            for load in loads:
                if text := self.text(*filter(None, (kind, service, load))):
                    yield service, load, text


def section(text, title):
    """The lines below a title, up to the next empty one."""
    lines = text.split("\n" + title + "\n", 1)
    return lines[1].split("\n\n")[0].rstrip().splitlines() if len(lines) == 2 else []


def shares(text, title, n):
    return [re.sub(r"^\s*([\d.]+) %\s+(.*)$", r"\2: \1 %", line) for line in section(text, title)[:n]]


def columns(heads, cells):
    """Lists side by side, numbered."""
    yield "| | " + " | ".join(heads) + " |"
    yield "|---" * (len(heads) + 1) + "|"
    for i in range(max(map(len, cells), default=0)):
        yield f"| {i + 1} | " + " | ".join(c[i] if i < len(c) else "" for c in cells) + " |"


def verbatim(lines):
    return ["```", *lines, "```"]


def cpu(p):
    yield "## CPU"
    yield "| process, load | CPU per step | of a core | steps/s | |"
    yield "|---|---|---|---|---|"
    for service, load, text in p.each("cpu"):
        share = re.search(r"(\d+) % of a core", text)[1]
        rate = re.search(r"([\d,]+) steps in ([\d.]+) s; ([\d.]+) µs", text)
        told = (f"{rate[3]} µs", f"{float(rate[1].replace(',', '')) / float(rate[2]):,.0f}") if rate else ("", "")
        yield f"| {service}, {load} | {told[0]} | {share} % | {told[1]} | {p.links('cpu', service, load)} |"
    yield ""
    yield "What it is spent on, each stack counted once:"
    yield ""
    found = [(f"{service}, {load}", shares(text, "what for (each stack once)", 10)) for service, load, text in p.each("cpu", SERVICES[:2])]
    yield from columns([name for name, _ in found], [cells for _, cells in found])
    yield ""
    yield "The functions that run themselves longest:"
    yield ""
    found = [(f"{service}, {load}", [f"`{name}`: {share}" for name, _, share in (cell.rpartition(": ") for cell in shares(text, "itself", 10))])
             for service, load, text in p.each("cpu", SERVICES[:2], ("tiers", "linear"))]
    yield from columns([name for name, _ in found], [cells for _, cells in found])


def allocations(p):
    yield "## Allocations"
    yield "| process, load | calls of malloc, calloc and realloc per step | |"
    yield "|---|---|---|"
    for service, load, text in p.each("alloc"):
        found = re.search(r"^([\d.]+) calls of malloc.*by thread: (.*)$", text, re.M)
        yield f"| {service}, {load} | {f'{found[1]}: {found[2]}' if found else 'not counted'} | {p.links('alloc', service, load)} |"
    yield ""
    found = [(f"{service}, {load}", [f"`{name}`: {share}" for name, _, share in (cell.rpartition(": ") for cell in shares(text, "with all it calls, of ours", 20))])
             for service, load, text in p.each("alloc", SERVICES[:2], ("linear",))]
    yield "Under which of our functions (heaptrack, the start of the process included):"
    yield ""
    yield from columns([name for name, _ in found], [cells for _, cells in found])


def waiting(p):
    yield "## Mailboxes, actors and waits"
    for service, load, text in p.each("locks"):
        yield f"{service}, {load} ({p.links('locks', service, load)}):"
        yield ""
        yield from verbatim(section(text, "actors and mailboxes"))
        yield ""
        yield from verbatim(re.sub(r"since the start:", "all:", line) for line in section(text, "waits, by our own clocks"))
        yield ""


def sql(p):
    yield "## SQL functions"
    for load in LOADS:
        if text := p.text("sql", load):
            lines = text.split("\nstatements from outside")[0].rstrip().splitlines()
            yield f"{lines[0]} ({p.links('sql', load)}):"
            yield ""
            yield from verbatim(lines[3:])
            yield ""


def sight(p):
    yield "## Introspection"
    for load in LOADS:
        if text := p.text("sight", load):
            yield from verbatim(text.rstrip().splitlines())
            yield ""


def page(folder):
    p = Profiles(folder)
    lines = ["# Profiles", "", "Written by `scripts/profile tables` from the tables beside it; of which commit they are, and what follows from them, says the [report](../profiling-report.md).", ""]
    for part in (cpu, allocations, waiting, sql, sight):
        title, *rest = part(p)
        lines += [title, "", *rest, ""]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"
