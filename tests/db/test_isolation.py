# SPDX-License-Identifier: MIT
"""What the engine's functions do to one task side by side: every interleaving of two, of three, and of four, ends like one of them after the other.

The task has one step of every kind of life: `a` and `b` at work with `c` behind them, `q` in the queue, `w` whose pause is over, `d` a
decision that has yet to speak, `f` failed in a second scene. Compared are the answers of all calls and everything that is stored.
"""
import itertools
import json
import unittest

from engine import CHECK, Engine, new_uuid, of
from isolation import Stage, explore
from lib import pg

GRAPH = {"a": [], "b": [], "w": [], "d": [], "f": [], "q": [], "c": ["a", "b"], "x": ["d"]}
OPTIONS = {"*": {"backoff": "none"}, "d": {"step_type": "decision"}, "x": {"at_start": False}, "f": {"retryable": False}}
NO = {name: no for no, name in enumerate(GRAPH)}
STATE = """
SELECT json_build_array(t.state, t.held, t.total_steps, t.open_steps, t.failed_steps, t.active_steps, t.retry_steps,
  (SELECT json_agg(json_build_array(s.name, s.state, s.attempts, s.forgiven, s.losses, CASE WHEN s.state = 'pending' THEN s.unmet_parents END) ORDER BY s.name)
     FROM tasker.workflow_steps s WHERE s.task_uuid = t.task_uuid),
  (SELECT json_agg(json_build_array(s.name, r.attempt, r.success) ORDER BY s.name, r.attempt) FROM tasker.step_results r
     JOIN tasker.workflow_steps s ON s.workflow_step_uuid = r.workflow_step_uuid WHERE r.task_uuid = t.task_uuid),
  (SELECT json_agg(json_build_array(s.name, h.from_state, h.to_state, h.attempt, h.reason) ORDER BY s.name, h.attempt, h.from_state, h.to_state)
     FROM tasker.workflow_step_transitions h JOIN tasker.workflow_steps s ON s.workflow_step_uuid = h.workflow_step_uuid WHERE h.task_uuid = t.task_uuid),
  (SELECT json_agg(json_build_array(s.name, q.vt <= clock_timestamp()) ORDER BY s.name) FROM pgmq.q_worker_shop_queue q
     JOIN tasker.workflow_steps s ON s.msg_id = q.msg_id AND s.task_uuid = t.task_uuid),
  (SELECT json_agg(s.name ORDER BY s.name) FROM tasker.step_timers st JOIN tasker.workflow_steps s USING (workflow_step_uuid) WHERE st.task_uuid = t.task_uuid))::text
  FROM tasker.tasks t WHERE t.task_uuid = $1"""
NOISE = ("next", "more", "timer", "queued", "dropped")  # what depends on others, and a message found to be of no use by now
TRIPLES = ("settle_a", "settle_b", "cancel", "claim", "grow", "resolve_a", "lost_a")  # each three of them
FOUR = ("settle_a", "claim", "cancel", "resolve_a")


class Isolation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        server = pg.shared()
        db = server.database(server.migrated())
        cls.stage = Stage(lambda: server.connect(db), 4)
        cls.addClassCleanup(cls.stage.close)
        cls.e = Engine(cls.stage.look)
        cls.engines = [Engine(s.c) for s in cls.stage.sessions]
        cls.template = cls.e.register(GRAPH, **OPTIONS)
        cls.task, cls.schedules = None, 0

    def begin(self, failed):
        """A new task in the middle of its life; whatever was before it is out of the way."""
        if self.task:
            self.e.cancel(self.task)
        rows = self.e.create_many([{"template": self.template, "steps_n": 7}], {"shop": 5})
        type(self).task = of(rows, "created")[0].task_uuid
        self.at = {r.step_name: r for r in of(rows, "assign")}
        self.e.settle([self.at["w"]], success=False)
        self.e.end_pauses()
        if failed:
            self.e.settle([self.at["f"]], success=False)
        self.e.end_lease(self.at["b"])

    # -- what there is to do: pieces of a transaction --

    def one(self, e, call):
        return [lambda: e.c.script("BEGIN") or call(), lambda: e.c.script("COMMIT")]

    def grow(self, e):
        d, call = self.at["d"], ([self.task], [new_uuid()], [NO["x"]], [0], ["x"], [None], [False], [self.task], [NO["d"]], [NO["x"]])

        def look():
            e.c.script("BEGIN")
            holds.extend(e.c.query("SELECT * FROM tasker.growth_begin($1, $2, $3, $4)", [d.step_uuid], [self.task], [d.attempt], [d.msg_id]))

        def make():
            if holds:
                e.c.query("SELECT tasker.grow_tasks($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", *call)
            return e.settle([d])
        holds = []
        return [look, make, lambda: e.c.script("COMMIT")]

    def program(self, name, e):
        a, b = self.at["a"], self.at["b"]
        return self.grow(e) if name == "grow" else self.one(e, {
            "settle_a": lambda: e.settle([a]),
            "settle_b": lambda: e.settle([b]),
            "settle_both": lambda: e.settle([b, a]),
            "fail_a": lambda: e.settle([a], success=False, retryable=False),
            "retry_a": lambda: e.settle([a], success=False, delay_ms=0),
            "lost_a": lambda: e.release([a], lost=True),
            "lost_f": lambda: e.release([self.at["f"]], lost=True),
            "unsent_b": lambda: e.release([b], lost=False),
            "renew": lambda: [{"kind": "gone", "step_uuid": g["step_uuid"], "attempt": g["attempt"]} for g in e.renew([a])],
            "claim": e.claim,
            "fire": e.fire,
            "cancel": lambda: [{"kind": r.outcome, "step_uuid": r.step_uuid, "attempt": r.attempt} for r in e.cancel(self.task)],
            "resolve_a": lambda: e.act(self.task, "a", "resolve_manually"),
            "complete_a": lambda: e.act(self.task, "a", "complete_manually", data={"result": 1}),
            "reset_f": lambda: e.act(self.task, "f", "reset_for_retry"),
            "pause": lambda: e.hold(self.task),
            "resume": lambda: e.hold(self.task, on=False),
            "sweep": lambda: [{"kind": r.kind, "step_uuid": r.step_uuid, "attempt": None} for r in e.sweep() if r.kind == "repaired"],
        }[name])

    OPS = ("settle_a", "settle_b", "settle_both", "fail_a", "retry_a", "lost_a", "lost_f", "unsent_b", "renew", "claim", "fire", "cancel", "resolve_a", "complete_a",
           "pause", "grow", "sweep")

    # -- comparing --

    def outcome(self, n):
        """The answers of all sessions and what is stored, without what differs from run to run."""
        for s in self.stage.sessions[:n]:
            self.assertIsNone(s.error)
        names = {r.u: r.name for r in self.e.c.query("SELECT workflow_step_uuid AS u, name FROM tasker.workflow_steps WHERE task_uuid = $1", self.task)}
        said = [sorted(str((r["kind"], names.get(r["step_uuid"]), r["attempt"])) for r in s.answers if r["kind"] not in NOISE)
                for s in self.stage.sessions[:n]]
        return json.dumps([said, json.loads(self.e.c.value(STATE, self.task))])

    def serially(self, ops, failed):
        """What each order of the whole transactions leads to."""
        ends = {}
        for order in itertools.permutations(range(len(ops))):
            self.begin(failed)
            for s, name, e in zip(self.stage.sessions, ops, self.engines):
                s.load(self.program(name, e))
            for i in order:
                while self.stage.sessions[i].pieces:
                    self.stage.sessions[i].start()
                    self.stage.sessions[i].idle.wait()
            ends[self.outcome(len(ops))] = [ops[i] for i in order]
        return ends

    def every_interleaving(self, ops, failed=False):
        ends, wrong = self.serially(ops, failed), []

        def fresh():
            self.begin(failed)
            return [self.program(name, e) for name, e in zip(ops, self.engines)]

        def judge(schedule):
            end = self.outcome(len(ops))
            problems = self.e.c.query(CHECK, self.task)
            if end not in ends or problems:
                wrong.append((ops, schedule, problems, end, *ends.items()))
        type(self).schedules += explore(self.stage, fresh, judge)
        self.assertFalse(wrong, "\n".join(map(str, wrong[:1] and wrong[0])))

    def test_each_two(self):
        for ops in itertools.combinations_with_replacement(self.OPS, 2):
            with self.subTest(ops):
                self.every_interleaving(ops)
        self.assertGreater(self.stage.blocked_seen, 100)

    def test_each_two_with_a_failed_step(self):
        for op in self.OPS:
            for other in ("reset_f", "fire"):
                with self.subTest((op, other)):
                    self.every_interleaving((op, other), failed=True)

    def test_four(self):
        self.every_interleaving(FOUR)

    def test_each_three_of_the_most_usual(self):
        for ops in itertools.combinations(TRIPLES, 3):
            with self.subTest(ops):
                self.every_interleaving(ops)
        print(self.schedules, "schedules,", self.stage.blocked_seen, "times blocked")
