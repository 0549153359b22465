# SPDX-License-Identifier: MIT
"""The reference model: one task as a plain state machine. Slow, small, and without a thought for how the real engine does it.

A method is one thing that may happen to a task; it changes the state or raises Refusal, and never decides by itself that something
shall happen. What a rule comes from stands beside it: dispatch.md, growth.md, database.md and architecture.md are in docs/design.
replay.py lets the real system's history say what happened; foretell.py lets chance say it. Moments are µs of the database's clock.
"""
from dataclasses import dataclass

import growth
from template import BATCH_WORKER, BATCHABLE, CONVERGENCE, DECISION, SOURCES

PENDING, ENQUEUED, IN_PROGRESS, WAITING = "pending", "enqueued", "in_progress", "waiting_for_retry"
SUB_TASK = "enqueued_for_orchestration"     # waits for a task that it has started
COMPLETE, ERROR, CANCELLED, RESOLVED = "complete", "error", "cancelled", "resolved_manually"
DONE = (COMPLETE, RESOLVED)                 # a child need not wait for it any more
ENDED = (COMPLETE, RESOLVED, CANCELLED)
TASK_ENDED = ("complete", "cancelled", "error", "resolved_manually")
JITTER = 0.15
LATEST_RESULT_MAX = 3600000                 # a handler's own pause is at most an hour
DEPTH_MAX = 8                               # sub_task.depth_max


class Refusal(Exception):
    """The rules do not allow this now."""


def require(truth, *what):
    if not truth:
        raise Refusal(" ".join(map(str, what)))


@dataclass
class Outcome:
    """What a handler answered for one attempt."""
    ok: bool
    retryable: bool = False
    pause_ms: int = -1        # its own pause before the next attempt
    says: dict = None         # decision_point_outcome or batch_processing_outcome
    sub: dict = None          # it has started this task (generate.py) and waited for its end
    mute: bool = False        # nobody could know what it publishes
    timeout: str = ""         # it was not the handler that answered: its time was over ("handler"), or that in the queue ("queue")


@dataclass
class Times:
    """What a request, or else its template, says of time (time.md)."""
    run_at: int = 0           # it starts at this moment
    until: int = 0            # it is complete by this one
    takes_s: int = 0          # it takes so long, from its start
    ends: str = "error"       # what it becomes when it is not complete in time


@dataclass
class Step:
    no: int
    instance: int
    name: str
    rule: object              # of the template
    state: str = PENDING
    attempts: int = 0
    forgiven: int = 0         # attempts that do not count against max_attempts
    losses: int = 0
    no_room: bool = False
    by_hand: bool = False     # completed by a person
    due_us: float = 0         # its pause does not end earlier
    queued_us: int = 0        # since when it lies in the queue
    value: object = None      # of its last successful result
    named: tuple = ()         # by its decision, when it is complete
    opened: bool = False      # its decision opened branches
    child: object = None      # the task that its last attempt has started
    patient: bool = False     # it waits for people to mend it (wait_blocked)
    id: object = None         # of the real step that was seen first under this name
    sees: object = None       # the values its ancestors had when it was dispatched; None: not known

    @property
    def isolated(self):
        return self.instance > 0 and self.rule.strategy == "isolate"

    @property
    def has_place(self):
        """In the window of its batch: one that failed keeps its place, but not where failures are isolated (growth.md "Window")."""
        return self.instance > 0 and not self.no_room and self.state not in DONE and not (self.state == ERROR and self.isolated)


class Task:
    def __init__(self, template, times=Times(), at_us=0):
        self.t, self.state, self.steps, self.edges = template, None, {}, set()
        self.times, self.held, self.started_us = times, set(), None  # held: "task", "start"
        self.parent = None   # (task, step, attempt) that has started it
        self.to_end = False  # a timeout of a step says so
        self.events = []     # what is published: (step, attempt, condition)
        self.unsure = False  # whether the deadline still holds
        self.deadline = min(filter(None, (times.until, times.takes_s and max(at_us, times.run_at) + 1000000 * times.takes_s)), default=0)
        if times.run_at > at_us:
            self.held.add("start")
        for no, there in enumerate(template.at_start):
            if there:
                self._add(no, 0, template.steps[no].name, False)
        for step in self.steps.values():
            self.edges |= {(template.steps[p].name, step.name) for p in step.rule.parents}

    def _add(self, no, instance, name, no_room):
        require(name not in self.steps, name, "is there already")
        self.steps[name] = Step(no, instance, name, self.t.steps[no], no_room=no_room)

    # -- looking --

    def step(self, name):
        require(name in self.steps, "there is no step", name)
        return self.steps[name]

    def in_state(self, *states):
        return [s for s in self.steps.values() if s.state in states]

    def unmet(self, step):
        """architecture.md "Readiness": edges from steps that are not done, and one more for room in a batch (growth.md "Window")."""
        return sum(self.steps[a].state not in DONE for a, b in self.edges if b == step.name) + step.no_room

    def goes_on(self, step):
        """A task that has failed, is held or has ended gets nothing new (database.md, dispatch.md); isolated batches do not mind a failure (growth.md)."""
        return (step.isolated or not self.in_state(ERROR)) and not self.held and self.state not in TASK_ENDED

    def ready(self):
        return [s for s in self.in_state(PENDING) if not self.unmet(s) and self.goes_on(s)]

    def pausing(self):
        return [s for s in self.in_state(WAITING) if self.goes_on(s)]

    def counters(self):
        """total, open, failed, active, retry."""
        return (len(self.steps), len(self.steps) - len(self.in_state(*ENDED)), len(self.in_state(ERROR)), len(self.in_state(ENQUEUED, IN_PROGRESS)),
                len(self.in_state(WAITING)))

    def follow(self):
        """The task's state follows from its counters, unless somebody ended it (database.md "Tables")."""
        if self.state not in ("cancelled", "error", "resolved_manually"):
            _, left, failed, active, retry = self.counters()
            self.state = ("complete" if not left else "blocked_by_failures" if failed else "steps_in_process" if active
                          else "waiting_for_retry" if retry else "waiting_for_dependencies")
        return self.state

    # -- what dispatch does (dispatch.md "The way of a step") --

    def dispatch(self, name, eager, at_us=0):
        """A ready step goes on: straight to a worker with credit, which begins an attempt, or into the queue."""
        step = self.step(name)
        require(step in self.ready(), name, "is dispatched, but is", step.state, "with", self.unmet(step), "unmet parents; the task goes on:", self.goes_on(step))
        self._send(step, eager, at_us)

    def fire(self, name, eager, at_us):
        """A retry pause has ended."""
        step = self.step(name)
        require(step.state == WAITING and self.goes_on(step), name, "is", step.state, "and is fired; the task goes on:", self.goes_on(step))
        require(at_us >= step.due_us, name, "is fired", step.due_us - at_us, "µs before its pause has ended")
        self._send(step, eager, at_us)

    def _send(self, step, eager, at_us):
        step.state, step.queued_us = ENQUEUED, at_us
        if eager:
            self.claim(step.name)

    def claim(self, name):
        step = self.step(name)
        require(step.state == ENQUEUED, name, "is claimed, but is", step.state)
        step.state = IN_PROGRESS
        step.attempts += 1
        self._look_around(step)

    def _look_around(self, step):
        """Results of ancestors travel with the assignment; where an ancestor may still come, what it sees depends on time."""
        above = [s for s in self.steps.values() if s.no in self.t.ancestors[step.no]]
        known = all(s.state in DONE for s in above) and not any(s.by_hand for s in above)
        step.sees = sorted(s.value for s in above if s.state == COMPLETE and s.value is not None) if known else None

    # -- leases (dispatch.md "Leases", templates.md `retry`) --

    def give_back(self, name, lost, at_us=0):
        """An assignment returns to the queue: never sent (nothing counted), or its worker was lost. Either way the attempt is forgiven."""
        step = self._running(name)
        require(not lost or step.rule.retryable, name, "must not run twice (retryable: false)")
        step.state, step.queued_us = ENQUEUED, at_us
        step.forgiven += 1
        step.losses += lost

    def lease_ends(self, name):
        """Nobody renewed it: the next attempt begins in place."""
        self.give_back(name, True)
        self.claim(name)

    def fail_lost(self, name, losses_max):
        """A lost step that must not run twice, or was lost too often, is an error."""
        step = self._running(name)
        require(not step.rule.retryable or step.losses >= losses_max, name, "was lost", step.losses, "times, which is allowed")
        step.state = ERROR
        step.losses += 1
        self._publish(step, "permanent_failure")
        self.make_room([name])

    def _running(self, name):
        step = self.step(name)
        require(step.state == IN_PROGRESS, name, "is", step.state, "and not in progress")
        return step

    # -- results (dispatch.md "Settling") --

    def settle(self, name, attempt, outcome, at_us=0):
        """A result counts where step and attempt still hold. Returns the state it leads to."""
        step = self._running(name)
        require(step.attempts == attempt, name, "is at attempt", step.attempts, "and a result of", attempt, "counts")
        if outcome.ok and step.rule.kind in SOURCES:
            try:
                self._grow(step, outcome.says)
            except growth.Refused:  # growth.md "One transaction": a permanent error here
                outcome = Outcome(False)
        means = {"handler": step.rule.on_timeout, "queue": step.rule.on_queue_timeout}.get(outcome.timeout, "retry")  # time.md
        self.to_end |= means == "cancel"
        if outcome.ok:
            step.state, step.value = COMPLETE, 0 if outcome.sub else 100 * attempt + len(name)
        elif means == "retry" and outcome.retryable and step.rule.retryable and step.attempts - step.forgiven < step.rule.max_attempts:
            step.state = WAITING
            pause = min(outcome.pause_ms, LATEST_RESULT_MAX) if outcome.pause_ms >= 0 else round(step.rule.pause_ms(step.attempts - step.forgiven) * (1 - JITTER))
            step.due_us = at_us + 1000 * pause
        elif step.instance and step.rule.strategy == "continue_on_failure":
            step.state, step.value = COMPLETE, None  # growth.md "Failures"
        else:
            step.state = ERROR
        if not outcome.mute:
            self._publish(step, "success" if outcome.ok else "retryable_failure" if step.state == WAITING else "permanent_failure")
        return step.state

    def _publish(self, step, how):
        """events.md "When": every attempt that is settled publishes what its step declares for such an end, in the same transaction."""
        self.events += [(step.name, step.attempts, c) for c in step.rule.events if c in (how, "always") or (c == "failure" and how != "success")]

    def make_room(self, names):
        """Those of a batch that have no place any more let as many go on that wait, lowest first, those that were reset last (growth.md "Window")."""
        over = [s for s in (self.steps[n] for n in names) if s.instance and not s.has_place]
        for no in {s.no for s in over}:
            last = max(s.instance for s in over if s.no == no)
            waiting = sorted((s.instance < last, s.instance, s.name) for s in self.steps.values() if s.no == no and s.no_room and s.state == PENDING)
            for _, _, name in waiting[:sum(s.no == no for s in over)]:
                self.steps[name].no_room = False

    def has_room(self, step):
        return sum(s.no == step.no and s is not step and s.has_place for s in self.steps.values()) < min(step.rule.parallelism, growth.PARALLEL_MAX)

    def _grow(self, source, says):
        status = {}
        for step in self.steps.values():
            over = step.state in ENDED and status.get(step.no) != growth.OPEN
            status[step.no] = growth.OVER if over else growth.OPEN
        grown = growth.plan(self.t, source.no, status, says)
        source.named = tuple(says.get("step_names") or ())
        source.opened = bool(source.named)
        for step in grown.steps:
            self._add(*step)
        made = {name for _, _, name, _ in grown.steps}
        for a, b in grown.edges:  # to steps that have not begun; never between two of one new batch
            self.edges |= {(x.name, y.name) for x in self.steps.values() if x.no == a for y in self.steps.values()
                           if y.no == b and y.state == PENDING and not (x.name in made and y.name in made and a == b)}

    # -- sub-tasks (sub-tasks.md) --

    def depth(self):
        return 1 + self.parent[0].depth() if self.parent else 0

    def start_child(self, name, attempt, child, patient):
        """Instead of a result its handler hands in a task that is to be run: the step waits for it, and no worker is kept."""
        step = self._running(name)
        require(step.attempts == attempt, name, "is at attempt", step.attempts, "and one of", attempt, "starts a task")
        require(step.rule.kind not in SOURCES and self.depth() < DEPTH_MAX, name, "may not start a task")
        step.state, step.child, step.patient = SUB_TASK, child, patient
        child.parent = (self, step, attempt)

    def awaited(self):
        """Whether the step that has started it still waits for it."""
        above, step, attempt = self.parent
        return above.steps.get(step.name) is step and step.state == SUB_TASK and step.attempts == attempt

    def take_up(self, name, sub):
        """What it waited for has ended: the attempt goes on for the moment it takes to settle it. Returns what that means."""
        step = self.step(name)
        require(step.state == SUB_TASK and step.child.state in TASK_ENDED, name, "is", step.state, "and goes on")
        step.state = IN_PROGRESS
        return Outcome(step.child.state in ("complete", "resolved_manually"), step.child.state == "error", sub=sub)

    def call_off(self):
        """Nobody waits for it any more. Returns the steps that were ended."""
        require(self.parent and not self.awaited(), "it is called off, and its parent waits for it")
        return self._end("cancelled")

    def give_in(self):
        """It is blocked, and its parent does not wait until somebody has seen to it."""
        require(self.parent and self.awaited() and not self.parent[1].patient and self.state == "blocked_by_failures", "it gives in, and is", self.state)
        return self._end("error")

    def waits_in_vain(self, step):
        """A step whose child has come to an end that was not carried over."""
        return step.child.state in TASK_ENDED or (step.child.state == "blocked_by_failures" and not step.patient)

    # -- time (time.md) --

    def start(self, at_us, by_hand):
        """What was to start later starts when its moment has come, or before it when somebody says so; a timeout counts from then."""
        require("start" in self.held and self.state not in TASK_ENDED, "it does not wait for its start")
        require(by_hand or at_us >= self.times.run_at, "it starts", self.times.run_at - at_us, "µs too early")
        require(by_hand or not self.deadline or at_us < self.deadline, "it starts after its deadline")
        self.held.discard("start")
        self.started_us = at_us
        if by_hand and self.times.takes_s:
            self.deadline = min(self.deadline, at_us + 1000000 * self.times.takes_s)

    def expire(self, at_us):
        """A task that is not complete by its deadline ends, whatever it is doing. Returns the steps that were ended."""
        require(self.deadline, "it ends by a deadline that it does not have")
        require(at_us >= self.deadline, "it ends", self.deadline - at_us, "µs before its deadline")
        return self._end("cancelled" if self.times.ends == "cancel" else "error")

    def give_up(self, name, at_us):
        """No worker took it in time: an attempt of its own that nobody makes, not counted unless it may be tried again; settle() says what follows."""
        step = self.step(name)
        due = step.rule.queue_timeout and step.queued_us + 1000 * step.rule.queue_timeout
        require(step.state == ENQUEUED and due, name, "is given up, but is", step.state)
        require(at_us >= due, name, "is given up", due - at_us, "µs too early")
        self.claim(name)
        step.forgiven += step.rule.on_queue_timeout != "retry"

    def _end(self, to):
        """Everything of it that has not ended is cancelled, at once; in error what has failed stays failed."""
        require(self.state not in TASK_ENDED, "the task is", self.state)
        ended = [s for s in self.steps.values() if s.state not in ENDED and not (to == "error" and s.state == ERROR)]
        for step in ended:
            step.state = CANCELLED
        self.state, self.to_end = to, False
        return [s.name for s in ended]

    def reopen(self, at_us=0, until_us=0):
        """A task that has ended goes on, at some moment between these two: a deadline that has passed is none any more, what held it holds no longer
        (api.md), and what its end has cancelled is pending, as if reset. Returns these steps."""
        require(self.state in ("complete", "error"), "the task is", self.state)
        if self.deadline <= at_us:
            self.deadline = 0
        self.unsure = at_us < self.deadline <= until_us
        self.held.clear()
        self.state = None  # follow() says what it is
        back = self.in_state(CANCELLED)
        for step in back:
            step.state, step.forgiven, step.losses = PENDING, step.attempts, 0
        return {s.name for s in back}

    # -- people (dispatch.md, growth.md "People and what grew", api.md) --

    def cancel(self):
        """Ends a task and everything of it that has not ended. Returns the steps that were ended."""
        return self._end("cancelled")

    def hold(self, on):
        """A held task gets nothing new; what lies in the queue is taken back, what a worker has goes on. Returns what was taken back."""
        require(self.state not in TASK_ENDED and ("task" in self.held) != on, "the task is", self.state, "and held:", self.held)
        back = self.in_state(ENQUEUED) if on else []
        for step in back:
            step.state = PENDING
        (self.held.add if on else self.held.discard)("task")
        return [s.name for s in back]

    def act(self, name, to):
        """reset_for_retry leads to pending, resolve_manually and skip to resolved_manually, complete_manually to complete. A task in error is to be
        reopened first."""
        step = self.step(name)
        was = step.state
        for running in self.in_state(IN_PROGRESS):
            running.sees = None  # what it has yet to fetch may be gone
        require(self.state not in TASK_ENDED, "the task is", self.state)
        require(to != PENDING or was == ERROR, name, "is reset, but is", was)
        had_place = step.has_place
        step.state = to
        if to == PENDING:
            step.forgiven, step.losses = step.attempts, 0
            step.no_room = step.isolated and not self.has_room(step)  # it had given its place away
        else:
            step.no_room = False
        if to == COMPLETE:  # an attempt of its own, which no worker made
            step.attempts += 1
            step.forgiven += 1
            step.by_hand, step.named, step.opened = True, (), False  # its result is another one; what that says is yet to come
        if to != PENDING and had_place:
            self.make_room([name])

    def below(self, name):
        """The step and all that depend on it, however far down; what a decision has named is below it, whatever it waited for."""
        found, more = set(), {name}
        while more:
            found |= more
            more = {b for a, b in self.edges if a in found} | {n for a in found for n in self.steps[a].named if n in self.steps}
            more -= found
        return found

    def rerun(self, name):
        """A step that has ended and everything below it run again, with full budgets. Sources among them speak anew: what they brought goes.
        A task that has ended is to be reopened afterwards, then instances take_turns(). Returns the steps that are pending again."""
        require(self.state not in ("cancelled", "resolved_manually"), "the task is", self.state)
        require(self.step(name).state in (*ENDED, ERROR), name, "is", self.steps[name].state)
        again = self.below(name)
        dropped = self._brought(again)
        # What is left of those that lose a parent waits for the sources that may bring it one again: a hold.
        sources = {n for n in again - dropped if self.steps[n].rule.kind in SOURCES}
        holds = {(s, b) for a, b in self.edges if a in dropped and b not in dropped for s in sources - {b} if a in self.below(s)}
        self.edges = {(a, b) for a, b in self.edges | holds if not {a, b} & dropped}
        for n in dropped:
            del self.steps[n]
        for step in self.in_state(IN_PROGRESS):
            step.sees = None  # as in act()
        for step in (self.steps[n] for n in again - dropped):
            step.state, step.forgiven, step.losses, step.by_hand, step.named, step.opened = PENDING, step.attempts, 0, False, (), False
        return again - dropped

    def take_turns(self, names):
        """Instances that run again go back into the window of their batch: as many as there is room for, lowest first (growth.md "Window")."""
        back = [self.steps[n] for n in names if self.steps[n].instance]
        for step in back:
            step.no_room = True
        for no in {s.no for s in back}:
            batch = sorted((s for s in self.steps.values() if s.no == no and s.instance), key=lambda s: s.instance)
            free = min(batch[0].rule.parallelism, growth.PARALLEL_MAX) - sum(s.has_place for s in batch)
            for step in [s for s in batch if s.no_room and s.state == PENDING][:max(0, free)]:
                step.no_room = False

    def _brought(self, again):
        """Those that would not be there if the sources that run again had not spoken (growth.md "People and what grew")."""
        unsure = {n for s in again if self.steps[s].rule.kind in SOURCES for n in self.below(s) - {s} if not self.t.at_start[self.steps[n].no]}
        speak = {n: s for n, s in self.steps.items() if n not in again}
        stays, more = set(), set(self.steps) - unsure
        while more:
            stays |= more
            more = {n for n in unsure - stays if self._stays(self.steps[n], stays, speak)}
        return unsure - stays

    def _stays(self, step, stays, speak):
        above = [self.steps[a] for a, b in self.edges if b == step.name and self.steps[a].no in step.rule.parents]
        if any(step.name in s.named for s in speak.values()):
            return True
        if step.rule.kind == BATCH_WORKER:
            return any(a.rule.kind == BATCHABLE and a.name in speak for a in above)
        if step.rule.kind == DECISION and all(self.t.kind(p) == DECISION for p in step.rule.parents):
            return any(a.name in speak and a.opened for a in above)
        dynamic = [p for p in step.rule.parents if self.t.kind(p) != DECISION and not self.t.at_start[p]]
        late = step.rule.kind == CONVERGENCE and dynamic  # made of what was there from the start too, when nothing more comes
        return any(a.name in stays and a.rule.kind != DECISION and (late or a.no in dynamic) for a in above)
