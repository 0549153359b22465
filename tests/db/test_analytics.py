# SPDX-License-Identifier: MIT
"""Analytics from what is added up: the same figures as from the rows, whatever happened in which order."""
import json
import random
import time
import uuid

from engine import PROCESSOR, DbTest, of

MOVING = ("calculated_at", "analysis_period_start", "resource_utilization")  # differ between two calls


def old_id(hours):
    """A task's id as it was made so many hours ago."""
    ms = int((time.time() - hours * 3600) * 1000)
    return str(uuid.UUID(int=(ms << 80) | (7 << 76) | (random.getrandbits(12) << 64) | (2 << 62) | random.getrandbits(62)))


class AnalyticsTest(DbTest):
    def figures(self):
        found = {}
        for name, call in (("day", "analytics_performance(24)"), ("week", "analytics_performance(168)"), ("hour", "analytics_performance(1)"),
                           ("bottlenecks", "analytics_bottlenecks(100, 1)")):
            body = self.c.value(f"SELECT tasker.{call}")
            body = body if isinstance(body, dict) else json.loads(body)
            found[name + " states"] = body.get("resource_utilization", {}).get("system_health")
            found[name] = {k: v for k, v in body.items() if k not in MOVING}
        return found

    def by_row(self):
        self.c.script("BEGIN; DELETE FROM tasker.rolled; UPDATE tasker.rolled_until SET until = '2020-01-01T00:00:00Z'")
        found = self.figures()
        self.c.script("ROLLBACK")
        return found

    def roll(self, most=1000):
        return self.c.query("SELECT * FROM tasker.roll_up($1)", most)[0]

    def rolled(self):
        return self.c.value("SELECT count(*) FROM tasker.rolled")

    def same(self):
        self.assertEqual(self.figures(), self.by_row())


class RolledUp(AnalyticsTest):
    def test_totals_are_those_of_the_rows_after_random_work(self):
        for seed in range(3):
            with self.subTest(seed=seed):
                self.work(random.Random(seed))

    def steps(self, task):
        return self.c.query("SELECT workflow_step_uuid, name, state::text FROM tasker.workflow_steps WHERE task_uuid = $1 ORDER BY step_no", task)

    def work(self, r):
        flows = [self.e.register({"a": [], "b": ["a"]}), self.e.register({"only": []}), self.e.register({"a": [], "b": ["a"], "c": ["a"]})]
        running, tasks = [], []
        for _ in range(40):
            made = self.e.create(r.choice(flows), task=[old_id(r.uniform(0, 60))], credit=r.choice([0, 5]))
            tasks += [row.task_uuid for row in of(made, "created")]
            running += of(made, "assign")
        for _ in range(80):
            kind, task = r.random(), r.choice(tasks)
            if kind < 0.6 and running:
                took = [running.pop(r.randrange(len(running)))]
                running += of(self.e.settle(took, success=r.random() < 0.8, retryable=False), "assign")
            elif kind < 0.75:
                running += of(self.e.claim(3), "assign")
            elif kind < 0.8:
                self.e.cancel(task)
            elif kind < 0.9:
                failed = [s for s in self.steps(task) if s.state == "error"]
                if failed:
                    self.e.act(task, failed[0].name, r.choice(["reset_for_retry", "resolve_manually"]))
            else:
                self.c.query("SELECT * FROM tasker.rerun_step($1, $2, NULL, 'pat', $3, $4)", task, self.steps(task)[0].workflow_step_uuid, str(r.random()), PROCESSOR)
            if r.random() < 0.15:
                self.roll(r.choice([1, 5, 1000]))
                self.same()
        while self.roll(3).more:
            self.same()
        self.same()
        self.assertGreater(self.rolled(), 10)
        self.assertEqual(self.figures()["week"]["total_tasks"], self.c.value("SELECT count(*) FROM tasker.tasks"))
        self.c.script("DELETE FROM tasker.rolled; UPDATE tasker.rolled_until SET until = '2020-01-01T00:00:00Z'")

    def test_figures_by_hand(self):
        flow = self.e.register({"a": [], "b": ["a"]})
        for hours in (2, 3, 30):
            made = self.e.create(flow, task=[old_id(hours)], credit=5)
            self.e.settle(of(self.e.settle(of(made, "assign")), "assign"), success=hours != 3, retryable=False)
        self.roll()
        day = self.figures()["day"]
        self.assertEqual((day["total_tasks"], day["completed_tasks"], day["failed_tasks"], day["completion_rate"], day["active_tasks"]), (3, 1, 1, 50, 1))
        slow = {s["step_name"]: (s["execution_count"], s["error_count"]) for s in self.figures()["bottlenecks"]["slow_steps"]}
        self.assertEqual(slow, {"a": (2, 0), "b": (2, 1)})

    def test_a_stretch_that_is_not_over_waits(self):
        self.e.create(self.e.register({"only": []}), n=3)
        self.assertEqual((self.roll().done, self.rolled()), (0, 0))
        self.same()

    def test_nothing_is_rolled_while_somebody_may_still_add_to_it(self):
        flow = self.e.register({"only": []})
        self.e.create(flow, task=[old_id(2)])
        late = self.connect()
        late.script("BEGIN; CREATE TEMP TABLE t ()")
        late.query("SELECT set_config('application_name', 'tasker-late', false)")
        self.assertEqual(self.roll().done, 1, "it began now, and ids are not made two hours ahead")
        late.script("COMMIT")
        late.close()

    def test_what_comes_late_or_ends_late_is_added_up_a_day_later(self):
        """Between two rolled stretches, within one, and a task that was open when its stretch was rolled."""
        flow = self.e.register({"only": []})
        ids = [old_id(h) for h in (27.5, 27.1, 26.6)]
        for at in (0, 2):
            made = self.e.create(flow, task=[ids[at]], credit=1)
            if at:
                self.e.settle(of(made, "assign"))
            else:
                ending = of(made, "assign")
        self.c.script("UPDATE tasker.rolled_until SET looked_at = tasker._stretch(clock_timestamp() - interval '28 hours')")
        self.c.script("UPDATE tasker.rolled_until SET looked_at = looked_at + interval '1 day'")
        self.roll()
        self.assertEqual(self.rolled(), 2)
        self.e.settle(ending)
        self.e.create(flow, task=[ids[1]])
        self.e.create(flow, task=[str(uuid.UUID(int=uuid.UUID(ids[2]).int ^ 1))])
        self.assertEqual(self.c.value("SELECT sum(cardinality(left_out)) FROM tasker.rolled"), 1)
        self.c.script("UPDATE tasker.rolled_until SET looked_at = looked_at - interval '1 day'")
        for _ in range(4):
            self.roll()
        self.assertEqual(self.c.column("SELECT tasks FROM tasker.rolled ORDER BY stretch"), [1, 1, 2])
        self.assertEqual(self.c.column("SELECT cardinality(left_out) FROM tasker.rolled ORDER BY stretch"), [0, 1, 1])
        self.same()

    def test_a_crash_leaves_whole_stretches(self):
        flow = self.e.register({"only": []})
        for hours in range(2, 8):
            self.e.settle(of(self.e.create(flow, task=[old_id(hours)], credit=1), "assign"))
        self.roll(2)
        dying = self.connect()
        dying.script("BEGIN")
        dying.query("SELECT * FROM tasker.roll_up(3)")
        dying.close()
        self.assertEqual(self.rolled(), 2)
        self.same()
        self.assertFalse(self.roll().more)
        self.assertEqual(self.rolled(), 6)
        self.same()

    def test_one_of_many_works(self):
        self.e.create(self.e.register({"only": []}), task=[old_id(2)])
        other = self.connect()
        other.script("BEGIN")
        self.assertEqual(other.query("SELECT * FROM tasker.roll_up(10)")[0].done, 1)
        self.assertEqual((self.roll().done, self.roll().more), (0, False))
        other.script("COMMIT")
        other.close()
        self.assertEqual(self.rolled(), 1)

    def test_history_that_was_dropped_changes_nothing(self):
        flow = self.e.register({"only": []})
        self.e.settle(of(self.e.create(flow, task=[old_id(24 * 70)], credit=1), "assign"))
        self.e.settle(of(self.e.create(flow, task=[old_id(5)], credit=1), "assign"))
        self.roll()
        before = self.figures()
        month = self.c.value("SELECT tasker._uuid_month(task_uuid)::text FROM tasker.tasks ORDER BY task_uuid LIMIT 1")
        self.c.query("SELECT tasker.make_history_months(0)")
        self.assertEqual(self.c.value("SELECT outcome FROM tasker.drop_history($1)", month), "dropped")
        self.assertEqual(self.figures(), before)
        self.same()
