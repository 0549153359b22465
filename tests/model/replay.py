# SPDX-License-Identifier: MIT
"""Whether the rules allow what the real system did with a task, transaction by transaction, and whether both have come to the same end.

The model never says when something happens, so the history may decide that: which worker was faster, who had credit, what was lost.
Everything that follows from it is the model's: which steps exist, what each transaction must dispatch and what it must not, states,
attempts, results, counters.
"""
from collections import Counter

from foretell import Script
from rules import CANCELLED, COMPLETE, ENQUEUED, ERROR, IN_PROGRESS, PENDING, SUB_TASK, WAITING, SOURCES, TASK_ENDED, Outcome, Refusal, Task, require

PEOPLE = "model:"     # actors that the driver makes up
TIMER, ENGINE = "timer", "tasker"  # the engine's own
WAITS_FOR = "waits for sub-task "
HELD = {"task": 1, "start": 8}
RERUN = "rerun"       # the reason it gives for that
WORKERS_OWN = ("checkpoint_error", "results_unavailable", "worker_shutdown", "template_unavailable")  # failures for want of an orchestrator
LATE = "handler_timeout"
TIMED_OUT = (LATE, "Cancelled")  # whoever looked first, the worker or its handler, which was told to stop and says so
FAULTS_ONLY = ("worker lost", "never sent", "lease ended")


class Replay:
    """One task. `family` has those of its relatives too, by task (family.py)."""

    def __init__(self, template, history, times, faults, losses_max, family):
        self.t, self.h, self.times, self.faults, self.losses_max, self.family = template, history, times, faults, losses_max, family
        self.script, self.began, self.task = Script(history.context["scripts"][history.context["at"]]), {}, None
        self.seen = Counter()  # what was reached, for those who write generate.py

    def apply(self, tx):
        """Raises Refusal when the rules do not allow this transaction."""
        try:
            if not self.task:
                require(tx.moves, "a task begins without a word")
                self.task = Task(self.t, self.times, tx.moves[0].at)
            self._apply(self.task, tx)
        except Refusal as e:
            raise Refusal(f"{e}\n    in: {tx}") from e

    # -- one transaction --

    def _apply(self, task, tx):
        """Pauses that end come first, then what was settled or decided, at last what became ready by that. An end is the last thing."""
        fired = [r for r in tx.rows if r.was == WAITING and r.to in (ENQUEUED, IN_PROGRESS)]
        dispatched = [r for r in tx.rows if r.was == PENDING and r.to in (ENQUEUED, IN_PROGRESS)]
        ended = [r for r in tx.rows if r.to == CANCELLED]
        causes = [r for r in tx.rows if r not in fired + dispatched + ended]
        self.began.update({(r.step, r.attempt): r.at for r in tx.rows if r.to == IN_PROGRESS})
        was = task.state
        for r in fired:
            task.fire(r.step, r.to == IN_PROGRESS, r.at)
            self._same_attempt(task, r)
        action = next((m for m in tx.moves if "action" in m.metadata), None)
        if action:
            back = self._hold(task, action)
            require(sorted(r.step for r in causes) == sorted(back) and all(r.to == PENDING for r in causes), "a pause takes back", back)
        else:
            self._decided(task, tx, self._settled(task, causes))
        for r in dispatched:
            task.dispatch(r.step, r.to == IN_PROGRESS, r.at)
            self._is_that_step(task, r)
            self._same_attempt(task, r)
        require(not task.ready(), "ready and not dispatched:", [s.name for s in task.ready()])
        said, task.events = Counter((task.step(name).id, attempt, "model." + c) for name, attempt, c in task.events), []
        require(said == Counter(tx.events), "published is", tx.events, "and should be", list(said))
        self.seen["events"] += len(tx.events)
        end = next((m for m in tx.moves if m.to in ("cancelled", "error")), None)
        if end and (task.to_end or not causes + dispatched + fired):
            over = self._end(task, end)
            require({r.step for r in ended} == set(over) and len(ended) == len(over), "the end ends", sorted(over))
            require(task.state == end.to, "the task becomes", task.state)
            return
        require(not task.to_end and not ended, "the task", "is" if task.to_end else "is not", "to end with its step's timeout")
        task.follow()
        if not action and task.state != was:
            require(tx.moves and tx.moves[-1].to == task.state, "the task is", task.state, "and its history does not say so")
        elif tx.moves and not action:
            require(tx.moves[-1].to == task.state, "the task is", task.state)

    def _hold(self, task, move):
        """Returns the steps that are taken out of the queue."""
        what, by = move.metadata["action"], move.metadata["actor"]
        if what == "start":
            task.start(move.at, by != TIMER)
            self.seen["started early" if by != TIMER else "started"] += 1
            return []
        return task.hold(what == "pause")

    def _end(self, task, move):
        """Somebody or a timeout of a step cancels it, its deadline has passed, or it ends for its parent's sake. Returns the steps that end with it."""
        if move.metadata["actor"] == ENGINE:
            self.seen["given in" if move.to == "error" else "called off"] += 1
            return task.give_in() if move.to == "error" else task.call_off()
        if move.metadata["actor"] == TIMER and not task.to_end:
            self.seen["deadline"] += 1
            return task.expire(move.at)
        return task.cancel()

    def _settled(self, task, causes):
        """All that was settled, then room for what waits. Returns what is left."""
        given_up = [r for r in causes if r.was == ENQUEUED and r.actor == TIMER]
        taken_up = [r for r in causes if (r.was, r.to) == (SUB_TASK, IN_PROGRESS)]
        results = [r for r in causes if self._is_result(r)]
        for r in given_up:
            task.give_up(r.step, r.at)
        said = {r.step: self._take_up(task, r) for r in taken_up}
        over = []
        for r in results:
            self._is_that_step(task, r)
            to = task.settle(r.step, r.attempt, said.pop(r.step, None) or self._outcome(task, r), r.at)
            require(to == r.to, r.step, "becomes", to)
            over += [r.step] if to != WAITING else []
        task.make_room(over)
        require(not said, "their sub-tasks have ended, and nothing follows:", list(said))
        self.seen["given up"] += len(given_up)
        return [r for r in causes if r not in given_up + taken_up + results]

    def _decided(self, task, tx, causes):
        """What runs again, because somebody wants it or a task that had ended is open again; then leases, claims and what else people do."""
        require(not tx.rerun or all(r.was == task.step(r.step).state for r in causes), "they were not in these states")
        below = task.rerun(next(r.step for r in causes if r.id == tx.rerun)) if tx.rerun else set()
        again = set(below)
        if causes and task.state in TASK_ENDED:
            require(tx.rerun or task.state == "error", "the task is", task.state)
            again |= task.reopen(causes[0].at, tx.moves[-1].at)
            self.seen["reopened"] += 1
        task.take_turns(below)
        back = [r for r in causes if (r.reason == RERUN if tx.rerun else self._person(r) and r.was == CANCELLED and r.to == PENDING)]
        require({r.step for r in back} == again and len(back) == len(again), "these run again:", sorted(again))
        for r in (r for r in causes if r not in back):
            self._is_that_step(task, r)
            self._other(task, r)

    def _other(self, task, r):
        require(self.faults or r.reason not in FAULTS_ONLY, "nobody was to be lost")
        if self._person(r):
            require(r.was == task.step(r.step).state, r.step, "is", task.step(r.step).state)
            task.act(r.step, r.to)
        elif (r.was, r.to) == (ENQUEUED, IN_PROGRESS):
            task.claim(r.step)
        elif (r.was, r.to) == (IN_PROGRESS, SUB_TASK):
            self._start_child(task, r)
        elif (r.was, r.to) == (IN_PROGRESS, ENQUEUED):
            task.give_back(r.step, r.reason == "worker lost", r.at)
        elif (r.was, r.to, r.reason) == (IN_PROGRESS, IN_PROGRESS, "lease ended"):
            task.lease_ends(r.step)
        elif (r.was, r.to, r.reason) == (IN_PROGRESS, ERROR, "worker lost"):
            task.fail_lost(r.step, self.losses_max)
        else:
            raise Refusal(f"no rule leads from {r.was} to {r.to} ({r.reason})")
        self._same_attempt(task, r)

    @staticmethod
    def _same_attempt(task, r):
        require(task.step(r.step).attempts == r.attempt, r.step, "is at attempt", task.step(r.step).attempts)

    @staticmethod
    def _is_that_step(task, r):
        """Not one of the same name that a rerun has dropped."""
        step = task.step(r.step)
        step.id = step.id or r.id
        require(step.id == r.id, r.step, "is another one, made anew")

    @staticmethod
    def _person(r):
        return (r.actor or "").startswith(PEOPLE)

    # -- results --

    def _is_result(self, r):
        return r.was == IN_PROGRESS and r.to in (COMPLETE, ERROR, WAITING) and r.reason not in FAULTS_ONLY and not self._person(r)

    def _start_child(self, task, r):
        """Created in this transaction, as the script asks for it."""
        child, sub = self.family.get(r.reason.removeprefix(WAITS_FOR)), self.script.outcome(r.step, r.attempt).sub
        require(sub and child and child.task and not child.task.parent, r.step, "waits for a task that nobody has asked for")
        require((child.h.name, child.h.context["at"]) == (sub["name"], sub["script"]), r.step, "has started another task")
        task.start_child(r.step, r.attempt, child.task, sub["wait_blocked"])
        self.seen["sub-tasks"] += 1

    def _take_up(self, task, r):
        """What has become of its child; the stored result must say the same."""
        step, stored = task.step(r.step), self.h.results[r.id, r.attempt]
        said = task.take_up(r.step, self.script.outcome(r.step, r.attempt).sub)
        kind = None if said.ok else "sub_task_failed" if said.retryable else "sub_task_cancelled"
        require((stored.success, (stored.error or {}).get("error_type")) == (said.ok, kind), r.step, "was told", stored)
        if said.ok:
            told = {name: result.get("value", 0) for name, result in stored.value["results"].items()}
            require(told == {s.name: s.value for s in step.child.in_state(COMPLETE) if s.value is not None}, r.step, "was told the results", told)
        return said

    def _outcome(self, task, r):
        """What the handler was to answer; the stored result must say the same."""
        stored, said = self.h.results.get((r.id, r.attempt)), self.script.outcome(r.step, r.attempt)
        require(stored, "no result of", r.step, r.attempt)
        if not stored.worker:
            require(stored.error["error_type"] == "queue_timeout" and task.step(r.step).rule.queue_timeout, r.step, "has a result that nobody made")
            return Outcome(False, task.step(r.step).rule.on_queue_timeout == "retry", timeout="queue")
        kind = (stored.error or {}).get("error_type")
        if self.faults and kind in WORKERS_OWN:
            return Outcome(False, True, mute=kind == "template_unavailable")
        if kind in TIMED_OUT and task.step(r.step).rule.timeout_s:  # whatever it was about to say; a busy machine makes it late
            took_us = r.at - self.began[r.step, r.attempt]
            require(took_us >= 1e6 * task.step(r.step).rule.timeout_s, r.step, "has timed out after only", took_us, "µs")
            return Outcome(False, True, timeout="handler" if kind == LATE else "")
        if said.ok and kind == "invalid_outcome":
            return said  # the model refuses it too, or the states differ
        if said.sub:
            refused = task.step(r.step).rule.kind in SOURCES or said.sub["name"] == "nobody"
            require(kind == "invalid_sub_task" and refused, r.step, "was to start a task, and has the result", stored)
            return Outcome(False)
        require(said.ok == stored.success, r.step, "attempt", r.attempt, "was to be", "ok:" if said.ok else "a failure:", said, "and is", stored)
        if not said.ok:
            how = self.script.entry(r.step, r.attempt)["how"]
            expected = {"nonsense": "invalid_result", "hang": "a timeout"}.get(how, "Scripted")
            require(kind == expected, r.step, "fails with", kind, "instead of", expected)
            require(stored.retryable == said.retryable, r.step, "failed: retryable is", stored.retryable)
            return said
        require(stored.value["value"] == 100 * r.attempt + len(r.step), r.step, "has the result of another attempt:", stored.value)
        sees = task.step(r.step).sees
        if sees is not None:
            require((stored.value["seen"], stored.value["sum"]) == (len(sees), sum(sees)), r.step, "saw", stored.value, "of", sees)
        return said

    # -- the end --

    def same_end(self):
        """Raises Refusal unless task and model have come to the same end."""
        task, h = self.task, self.h
        require(task, "no history")
        require(task.state == h.state, "the task is", h.state, "and the model's", task.state)
        require(sum(HELD[why] for why in task.held) == h.held, "held:", h.held, "and should be", task.held)
        require(task.unsure or task.deadline == h.deadline or not task.deadline, "its deadline is", h.deadline, "and should be", task.deadline)
        require(task.started_us == h.started_at, "it started at", h.started_at, "and should have at", task.started_us)
        require(set(task.steps) == set(h.steps), "steps are", sorted(set(h.steps) - set(task.steps)), "more and", sorted(set(task.steps) - set(h.steps)), "fewer")
        for name, step in task.steps.items():
            real = h.steps[name]
            require(step.id in (None, real["id"]), name, "is another one")
            mine = {"state": step.state, "attempts": step.attempts, "forgiven": step.forgiven, "losses": step.losses, "no": step.no, "instance": step.instance}
            if step.state == PENDING:
                mine.update(unmet=task.unmet(step), no_room=step.no_room)
            different = {k: (real[k], v) for k, v in mine.items() if real[k] != v}
            require(not different, name, "is and should be", different)
        require(task.edges == h.edges, "edges are", sorted(h.edges - task.edges), "more and", sorted(task.edges - h.edges), "fewer")
        require(task.counters() == h.counters, "counters are", h.counters, "and should be", task.counters())
        require(not task.in_state(ENQUEUED, IN_PROGRESS) and not task.pausing(), "it does not rest")
        require(not any(task.waits_in_vain(s) for s in task.in_state(SUB_TASK)), "a sub-task has ended, and its parent does not know")
        require(not task.parent or task.state in TASK_ENDED or task.awaited(), "nobody waits for it, and it goes on")
        require(task.in_state(ERROR, SUB_TASK) or task.state in TASK_ENDED, "nothing is due, and the task is", task.state, "with", [s.name for s in task.in_state(PENDING, WAITING)])
        require(task.state in TASK_ENDED or task.unsure or not task.deadline, "it was to be complete by its deadline, and nothing has ended it")
        settled = {(r.id, r.attempt) for tx in h.transactions for r in tx.rows if self._is_result(r)}
        stored = {k for k, r in h.results.items() if r.worker or r.error and r.error["error_type"] == "queue_timeout"}
        require(stored == settled, "results without a settled attempt:", stored ^ settled)
