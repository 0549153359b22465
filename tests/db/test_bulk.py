# SPDX-License-Identifier: MIT
"""Decisions about many tasks at once: what a filter finds, page by page, what it does to their steps, twice, and beside others."""
from engine import CHAIN, DIAMOND, kinds, of
from test_manual import ManualTest

TWO = {"a": [], "b": ["a"]}
DATA = {"result": {"paid": True}}


class Bulk(ManualTest):
    def some(self, n=5, **fields):
        return [r.task_uuid for r in of(self.e.create(self.e.register(TWO), n=n, **fields), "created")]

    def test_dry_then_for_real(self):
        mine, others = self.some(initiator="me", tags='["x", "y"]'), self.some()
        for filters in ({"initiator": "me"}, {"tag": "y"}, {"initiator": "me", "tag": "x", "namespace": "shop", "state": "steps_in_process"}):
            rows = self.e.bulk("cancel", dry=True, **filters)
            self.assertEqual(([r.task_uuid for r in of(rows, "matched")], kinds(rows)), (sorted(mine), {"page": 1, "matched": 5}))
        self.assertEqual({self.e.task(t).state for t in mine}, {"steps_in_process"})
        rows = self.e.bulk("cancel", tag="x")
        self.assertEqual((kinds(rows)["changed"], kinds(rows)["done"]), (5, 5))
        self.assertEqual({self.e.task(t).state for t in mine}, {"cancelled"})
        self.assertEqual({self.e.task(t).state for t in others}, {"steps_in_process"})
        self.assertEqual(kinds(self.e.bulk("cancel", tag="x")), {"page": 1})

    def test_pages(self):
        tasks, after, seen = self.some(7), None, []
        while True:
            rows = self.e.bulk("pause", limit=3, after=after)
            seen += [r.task_uuid for r in of(rows, "changed")]
            after = next((r.task_uuid for r in of(rows, "next")), None)
            if not after:
                break
        self.assertEqual(seen, sorted(tasks))
        self.assertNotIn("changed", kinds(self.e.bulk("pause")))
        self.assertEqual(kinds(self.e.bulk("resume"))["changed"], 7)
        self.assertEqual({self.finish_all(t) for t in tasks}, {"complete"})

    def test_all_failures_of_many(self):
        tasks = [self.blocked() for _ in range(3)]
        double, (start,) = self.start(DIAMOND)
        self.e.settle(of(self.e.settle([start]), "assign"), success=False, retryable=False)
        rows = self.e.bulk("reset", state="blocked_by_failures")
        self.assertEqual((kinds(rows)["matched"], kinds(rows)["changed"], kinds(rows)["done"]), (4, 4, 4))
        self.assertEqual({self.finish_all(t) for t in [*tasks, double]}, {"complete"})

    def test_going_on_without_what_has_failed_in_many(self):
        for action in ("resolve", "skip"):
            tasks = sorted(self.blocked() for _ in range(2))
            rows = self.e.bulk(action, dry=True, state="blocked_by_failures")
            self.assertEqual((sorted(r.task_uuid for r in of(rows, "matched")), of(rows, "changed")), (tasks, []))
            self.assertEqual(len(of(self.e.bulk(action, state="blocked_by_failures"), "changed")), 2)
            self.assertEqual([(self.e.states(t)["left"], self.finish_all(t)) for t in tasks], [("resolved_manually", "complete")] * 2)


class Steps(ManualTest):
    def done(self, graph=None, **fields):
        task = of(self.e.create(self.e.register(graph or CHAIN), **fields), "created")[0].task_uuid
        self.assertEqual(self.finish_all(task), "complete")
        return task

    def in_error(self):
        task = self.blocked()
        self.assertTrue(self.c.value("SELECT tasker.transition_task_state_atomic($1, 'blocked_by_failures', 'error', NULL)", task))
        return task

    def matched(self, action, **filters):
        dry = self.e.bulk(action, dry=True, **filters)
        self.assertEqual(len(of(dry, "changed")), 0)
        self.assertEqual({r.task_uuid for r in of(dry, "step")}, {r.task_uuid for r in of(dry, "matched")})
        return sorted(r.task_uuid for r in of(dry, "matched"))

    def test_tasks_in_error_are_opened_again(self):
        gone, blocked = sorted(self.in_error() for _ in range(2)), self.blocked()
        self.assertEqual(self.matched("reset"), [blocked], "open ones unless a status says otherwise")
        self.assertEqual(self.matched("reset", state="error"), gone)
        rows = self.e.bulk("reset", state="error", namespace="shop")
        self.assertEqual((sorted(r.task_uuid for r in of(rows, "changed")), len(of(rows, "step"))), (gone, 2))
        self.assertEqual(([self.finish_all(t) for t in gone], self.e.task(blocked).state), (["complete"] * 2, "blocked_by_failures"))
        self.assertEqual(kinds(self.e.bulk("reset", state="error")), {"page": 1})

    def test_so_are_those_that_nothing_had_failed_in(self):
        """Their time was up: reset goes on where they stopped, once for each task, however many steps its end has cancelled."""
        tasks = sorted(of(self.e.create(self.e.register(CHAIN), credit=10, deadline=self.e.at(60)), "created")[0].task_uuid for _ in range(3))
        self.e.pass_time(61)
        self.e.fire()
        self.assertEqual({self.e.task(t).state for t in tasks}, {"error"})
        self.assertEqual(self.matched("reset", state="error"), tasks)
        self.assertEqual(self.matched("reset", state="error", step="three"), tasks)
        self.assertEqual(self.matched("rerun", state="error", step="two", step_state="cancelled"), tasks)
        rows = self.e.bulk("reset", state="error")
        self.assertEqual((sorted(r.task_uuid for r in of(rows, "changed")), len(of(rows, "step"))), (tasks, 3))
        self.assertEqual([self.finish_all(t) for t in tasks], ["complete"] * 3)
        self.assertEqual(kinds(self.e.bulk("reset", state="error")), {"page": 1})

    def test_completing_what_has_failed(self):
        tasks = sorted(self.blocked() for _ in range(2))
        self.assertEqual(self.matched("complete", step="right"), [], "that one did not fail")
        self.assertEqual(self.matched("complete", step="left"), tasks)
        rows = self.e.bulk("complete", step="left", data=DATA)
        self.assertEqual((kinds(rows)["changed"], kinds(rows)["step"]), (2, 2))
        self.assertEqual(self.c.column("SELECT result -> 'result' ->> 'paid' FROM tasker.step_results WHERE worker_id IS NULL AND success"), ["true"] * 2)
        self.assertEqual([self.finish_all(t) for t in tasks], ["complete"] * 2)
        self.assertEqual(kinds(self.e.bulk("complete", step="left", data=DATA)), {"page": 1})

    def test_a_step_that_has_not_run_yet(self):
        tasks = [self.start(CHAIN)[0] for _ in range(2)]
        self.assertEqual(self.matched("skip", step="three"), [], "only what has failed, unless a state is named")
        rows = self.e.bulk("skip", step="three", step_state="pending")
        self.assertEqual(kinds(rows)["changed"], 2)
        self.assertEqual([self.e.states(t)["three"] for t in tasks], ["resolved_manually"] * 2)

    def test_tasks_by_one_of_their_steps(self):
        at_two, at_one = [], [self.start(CHAIN)[0] for _ in range(2)]
        for _ in range(2):
            task, out = self.start(CHAIN)
            self.e.settle(out, credit={"shop": 0})
            at_two.append(task)
        rows = self.e.bulk("cancel", step="two", step_state="enqueued")
        self.assertEqual(sorted(r.task_uuid for r in of(rows, "changed")), sorted(at_two))
        self.assertEqual({self.e.task(t).state for t in at_one}, {"steps_in_process"})
        self.assertEqual(kinds(self.e.bulk("pause", step="no_such_step")), {"page": 1})

    def test_running_again_from_a_step(self):
        mine, other = sorted(self.done(tags='["x"]') for _ in range(3)), self.done()
        self.assertEqual(self.matched("rerun", step="three"), [], "open ones unless a status says otherwise")
        self.assertEqual(self.matched("rerun", step="three", state="complete", tag="x"), mine)
        rows = self.e.bulk("rerun", step="three", state="complete", tag="x")
        self.assertEqual((sorted(r.task_uuid for r in of(rows, "changed")), kinds(rows)["queued"]), (mine, 3))
        self.assertEqual(self.e.states(mine[0]), {"one": "complete", "two": "complete", "three": "enqueued", "four": "pending"})
        self.assertEqual(([self.finish_all(t) for t in mine], self.e.task(other).generation), (["complete"] * 3, 0))

    def test_running_again_twice_is_once(self):
        """While it runs, and after it: the same request finds nothing to do; another reason or another person does."""
        ask = {"step": "three", "state": "complete"}
        tasks = [self.done() for _ in range(2)]
        self.assertEqual(kinds(self.e.bulk("rerun", **ask))["changed"], 2)
        for state in (None, "complete"):
            self.assertEqual(self.matched("rerun", step="three", state=state), [])
            self.assertNotIn("changed", kinds(self.e.bulk("rerun", step="three", state=state)))
            self.assertEqual({self.e.task(t).generation for t in tasks}, {1})
            self.assertEqual({self.finish_all(t) for t in tasks}, {"complete"})
        self.assertEqual(kinds(self.e.bulk("rerun", **ask, reason="another"))["changed"], 2)
        self.assertEqual({self.finish_all(t) for t in tasks}, {"complete"})
        self.assertEqual(kinds(self.e.bulk("rerun", **ask, actor="kim"))["changed"], 2)

    def test_what_failed_and_what_ended_runs_again_too(self):
        blocked, gone = self.blocked(), self.in_error()
        self.assertEqual(self.matched("rerun", step="start"), [blocked])
        self.assertEqual(self.matched("rerun", step="start", state="error"), [gone])
        for state in (None, "error"):
            self.assertEqual(kinds(self.e.bulk("rerun", step="start", state=state))["changed"], 1)
        self.assertEqual({self.finish_all(t) for t in (blocked, gone)}, {"complete"})

    def test_by_time(self):
        old, new = self.blocked(), self.blocked()
        self.c.query("UPDATE tasker.tasks SET created_at = created_at - interval '1 hour' WHERE task_uuid = $1", old)
        half = self.c.value("SELECT clock_timestamp() - interval '30 minutes'")
        self.assertEqual((self.matched("reset", created_before=half), self.matched("reset", created_after=half)), ([old], [new]))
        long_ago = self.c.value("SELECT clock_timestamp() - interval '3 days'")
        self.assertEqual(of(self.e.bulk("reset", dry=True, created_before=long_ago), "page")[0].idx, 0, "ids tell the time: nothing was looked at")

    def test_pages_of_complete_tasks(self):
        tasks, after, seen = sorted(self.done() for _ in range(5)), None, []
        while True:
            rows = self.e.bulk("rerun", step="four", state="complete", limit=2, after=after)
            self.assertLessEqual(of(rows, "page")[0].idx, 2)
            seen += [r.task_uuid for r in of(rows, "changed")]
            after = next((r.task_uuid for r in of(rows, "next")), None)
            if not after:
                break
        self.assertEqual(seen, tasks)

    def test_a_page_ends_when_it_has_enough_steps(self):
        """Whole tasks, at least one: three tasks of two failed steps, two steps a page and then three."""
        tasks = []
        for _ in range(3):
            task, (start,) = self.start(DIAMOND)
            self.e.settle(of(self.e.settle([start]), "assign"), success=False, retryable=False)
            tasks.append(task)
        first, second, third = sorted(tasks)
        rows = self.e.bulk("reset", steps=2)
        self.assertEqual((self.one(rows, "page").idx, [r.task_uuid for r in of(rows, "changed")], self.one(rows, "next").task_uuid), (1, [first], first))
        rows = self.e.bulk("reset", steps=3, after=first)
        self.assertEqual(([r.task_uuid for r in of(rows, "changed")], of(rows, "next")), ([second, third], []))

    def test_what_follows_comes_once_for_a_task(self):
        """However many of its steps it is: two failed, one look at what is ready, both in it; of a dead letter that is revived too."""
        for do in (lambda task: self.e.bulk("reset"), lambda task: self.e.revive(self.e.entries(task)[0].dlq_entry_uuid)):
            task, (start,) = self.start(DIAMOND)
            self.e.settle(of(self.e.settle([start]), "assign"), success=False, retryable=False)
            rows = do(task)
            self.assertEqual(([r.idx for r in of(rows, "queued")], kinds(rows)["done"]), ([2], 1))
            self.assertEqual(self.finish_all(task), "complete")

    def test_a_decision_beside_another(self):
        """Whoever comes second sees what the first has done, under the task's lock: nothing is done to a step that is not as the filter says any more."""
        task = self.blocked()
        _, rows = self.race(lambda e: e.act(task, "left", "reset_for_retry"), lambda e: e.bulk("complete", step="left", data=DATA))
        self.assertEqual(kinds(rows), {"page": 1, "matched": 1}, "it had matched when it was looked for")
        self.assertEqual(self.finish_all(task), "complete")
        self.assertEqual(self.c.value("SELECT count(*) FROM tasker.step_results WHERE worker_id IS NULL"), 0)
        task = self.blocked()
        _, rows = self.race(lambda e: e.act(task, "left", "reset_for_retry"), lambda e: e.bulk("cancel", state="blocked_by_failures"))
        self.assertNotIn("changed", kinds(rows), "nor to a task")
