# SPDX-License-Identifier: MIT
"""What an outcome brings into being: docs/design/growth.md "What an outcome brings", said once more as sets of step numbers.

Deliberately without any of the economies of shared/model/growth.c: everything is computed again until nothing changes.
"""
from dataclasses import dataclass, field

from template import BATCH_WORKER, BATCHABLE, CONVERGENCE, DECISION, SOURCES

NAMES_MAX, INSTANCES_MAX, PARALLEL_MAX = 100, 10000, 50  # decision.steps_max, batch.instances_max, batch.parallel_max
OPEN, OVER = "open", "over"


class Refused(Exception):
    """An outcome that cannot be carried out: its step fails for good."""


@dataclass
class Growth:
    steps: list = field(default_factory=list)  # (number, instance, name, waits for room)
    edges: set = field(default_factory=set)    # (from number, to number)


def segment(template, source):
    """What a decision may name: all below it up to the next decision, which begins a segment of its own."""
    found, todo = set(), [source]
    while todo:
        for child in template.children[todo.pop()]:
            if child not in found:
                found.add(child)
                if template.kind(child) != DECISION:
                    todo.append(child)
    return {no for no in found if template.kind(no) not in (DECISION, BATCH_WORKER)}


def plan(template, source, status, outcome):
    """status: {number: OPEN or OVER} of what exists. The growth that follows from `source` saying `outcome`; raises Refused."""
    return _Plan(template, source, status).make(outcome)


class _Plan:
    def __init__(self, template, source, status):
        self.t, self.source, self.status = template, source, {**status, source: OVER}
        self.created, self.branches = set(), False
        self.instances = {}  # of the one batch worker: number → [(instance, name, held)]

    def make(self, outcome):
        if self.t.kind(self.source) == DECISION:
            self._decide(outcome)
        else:
            self._batch(outcome)
        while True:
            self._follow()
            late = self._late()
            if late is None:
                break
            self.created.add(late)
        edges = self._declared_edges() | self._holds()
        growth = Growth(edges=edges | self._source_edges(edges))
        for no in sorted(self.created):
            growth.steps += [(no, *i) for i in self.instances.get(no, [(0, self.t.steps[no].name, False)])]
        return growth

    def exists(self, no):
        return no in self.status or no in self.created

    # -- 1. named --

    def _decide(self, outcome):
        if outcome["type"] == "no_branches":
            return
        if outcome["type"] != "create_steps":
            raise Refused("type")
        names = outcome["step_names"]
        if not names or len(names) > NAMES_MAX or len(set(names)) < len(names):
            raise Refused("none, too many, or twice the same")
        may = segment(self.t, self.source)
        for name in names:
            no = self.t.number(name)
            if no is None or no not in may:
                raise Refused(name)
            self.created |= {no} - set(self.status)  # another decision may have named it before
        self.branches = True

    def _batch(self, outcome):
        workers = [c for c in self.t.children[self.source] if self.t.kind(c) == BATCH_WORKER]
        name = outcome.get("worker_template_name")
        none = outcome["type"] == "no_batches"
        if not name and none and len(workers) != 1:
            return  # nothing to make a placeholder of
        worker = self.t.number(name) if name else workers[0] if len(workers) == 1 else None
        if worker not in workers or worker in self.status:
            raise Refused("worker")
        step = self.t.steps[worker]
        ids = ["000"] if none else [c["batch_id"] for c in outcome["cursor_configs"]]
        if not ids or len(ids) > INSTANCES_MAX or len(set(ids)) < len(ids):
            raise Refused("batches")
        window = min(step.parallelism, PARALLEL_MAX)
        self.instances[worker] = [(i, f"{step.name}_{batch}", i > window) for i, batch in enumerate(ids, 1)]
        self.created = {worker}

    # -- 2. following --

    def _follow(self):
        while True:
            more = {no for no in range(len(self.t.steps)) if not self.exists(no) and self._comes(no)}
            if not more:
                return
            self.created |= more

    def _comes(self, no):
        step = self.t.steps[no]
        if step.kind == BATCH_WORKER or self.t.at_start[no]:
            return False
        decisions = [p for p in step.parents if self.t.kind(p) == DECISION]
        if any(self.exists(p) and not self.t.at_start[p] for p in step.parents if p not in decisions):
            return step.kind == CONVERGENCE or all(p == self.source or self.status.get(p) == OVER for p in decisions)
        # One that depends on decisions alone cannot be named: it comes when one of them opens branches.
        return step.kind == DECISION and decisions == step.parents and self.source in decisions and self.branches

    # -- 3. concluding --

    def _late(self):
        """The first step that is to be made of the parents it has, because no other one can come any more."""
        possible = self._possible()
        return next((no for no in range(len(self.t.steps)) if not self.exists(no) and self._comes_late(no, possible)), None)

    def _comes_late(self, no, possible):
        step, convergence = self.t.steps[no], self.t.kind(no) == CONVERGENCE
        if step.kind == BATCH_WORKER or self.t.at_start[no] or any(not self.exists(p) and p in possible for p in step.parents):
            return False
        plain = [p for p in step.parents if self.t.kind(p) != DECISION]
        there = any(self.exists(p) and (convergence or not self.t.at_start[p]) for p in plain)
        dynamic = any(not self.t.at_start[p] for p in plain)
        unspoken = any(self.t.kind(p) == DECISION and self.exists(p) and p != self.source and self.status.get(p) != OVER for p in step.parents)
        return there and dynamic and (convergence or not unspoken)

    def _open_sources(self):
        """Decisions and analyzers that are there and have not spoken."""
        return [no for no in range(len(self.t.steps)) if no != self.source and self.t.kind(no) in SOURCES
                and (no in self.created or self.status.get(no) == OPEN)]

    def _below(self, source):
        """Walks down from an open source through what it may still bring; yields (step, whether it exists)."""
        seen, todo = set(), [source]
        while todo:
            at = todo.pop()
            for child in self.t.children[at]:
                if child in seen or (at == source and self.t.kind(source) == BATCHABLE and self.t.kind(child) != BATCH_WORKER):
                    continue
                seen.add(child)
                yield child, self.exists(child)
                if not self.exists(child) or self.t.kind(child) not in SOURCES:  # another source speaks for itself
                    todo.append(child)

    def _possible(self):
        return {child for source in self._open_sources() for child, there in self._below(source) if not there}

    # -- the edges --

    def _declared_edges(self):
        edges = set()
        for no in filter(self.exists, range(len(self.t.steps))):
            mine = {(p, no) for p in self.t.steps[no].parents if self.exists(p) and (no in self.created or p in self.created)
                    and not (self.t.kind(no) == BATCH_WORKER and self.t.kind(p) == BATCHABLE and p != self.source)}
            edges |= mine
        return edges

    def _source_edges(self, edges):
        """A new step that would wait for nothing waits for the step that brings it."""
        waiting = {b for a, b in edges if a == self.source or self.status.get(a) != OVER}
        return {(self.source, no) for no in self.created - waiting}

    def _holds(self):
        """A step whose missing dependency may still be brought by an open source waits for that source."""
        return {(source, waiting) for source in self._open_sources() for child, there in self._below(source) if not there
                for waiting in self.t.children[child] if self.exists(waiting) and self.status.get(waiting) != OVER}
