# SPDX-License-Identifier: MIT
"""Whose turn it is when more waits than workers take: priority, time waited, and what the own task has ahead (docs/design/fairness.md)."""
import json

from engine import CHAIN, DbTest, of
from lib.system import eventually

ONE = {"only": []}
AGING, TURN, STEPS = 60, 10, 16  # seconds for a level of priority and for a turn; steps in a turn, fewer than usual


def fan(n):
    return {"first": [], **{f"m{i:05}": ["first"] for i in range(n)}}


class Turns(DbTest):
    def setUp(self):
        super().setUp()
        self.c.query(f"SET tasker.turn_steps = '{STEPS}'")

    def fan_out(self, n, **fields):
        """A task of which n steps wait."""
        rows = self.e.create(self.e.register(fan(n)), credit=1, **fields)
        self.e.settle(of(rows, "assign"), {"shop": 0})
        return self.one(rows, "created").task_uuid

    def waiting(self, template, **fields):
        """The uuid of a new task whose roots wait."""
        return self.one(self.e.create(template, credit=0, **fields), "created").task_uuid

    def order(self, n=100, each=1):
        """The tasks of the next n claims."""
        found = []
        while len(found) < n and (rows := of(self.e.claim(each), "assign")):
            found += [r.task_uuid for r in rows]
        return found

    def test_who_came_first_comes_first(self):
        template = self.e.register(ONE)
        tasks = [self.waiting(template) for _ in range(5)]
        self.assertEqual(self.order(), tasks)

    def test_higher_priority_comes_first(self):
        template = self.e.register(ONE)
        tasks = {p: self.waiting(template, priority=p) for p in (0, 5, -3, 100, 1)}
        self.assertEqual(self.order(), [tasks[p] for p in (100, 5, 1, 0, -3)])

    def test_priority_counts_in_one_claim_too(self):
        template = self.e.register(ONE)
        low, high = self.waiting(template), self.waiting(template, priority=1)
        self.assertEqual(self.order(each=10), [high, low])

    def test_eager_steps_go_to_the_higher_priority(self):
        template = self.e.register(ONE)
        rows = self.e.create_many([{"template": template, "priority": p} for p in (0, 7, 3)], {"shop": 2})
        self.assertEqual([r.priority for r in of(rows, "assign")], [7, 3])

    def test_a_level_of_priority_is_a_minute_of_waiting(self):
        template = self.e.register(ONE)
        old, high = self.waiting(template), self.waiting(template, priority=2)
        self.e.wait(2 * AGING - 5, old)
        self.assertEqual(self.order(1), [high])
        high = self.waiting(template, priority=2)
        self.e.wait(10, old)
        self.assertEqual(self.order(), [old, high])

    def test_nothing_starves(self):
        """Fresh tasks of the highest priority come without end; an old one of the lowest priority comes before them in the end."""
        template = self.e.register(ONE)
        old, = [self.waiting(template, priority=-1000)]
        for _ in range(3):
            fresh = self.waiting(template, priority=2**31 - 1)
            self.assertEqual(self.order(1), [fresh])
            self.e.wait(2000 * AGING / 3 + 1, old)
        self.waiting(template, priority=2**31 - 1)
        self.assertEqual(self.order(1), [old])

    def test_any_priority_waits_visibly(self):
        template = self.e.register(ONE)
        for p in (-2**31, 2**31 - 1):
            self.waiting(template, priority=p)
        self.assertEqual(self.c.query("SELECT visible FROM tasker.queue_waiting($1)", ["shop"]), [{"visible": True}])
        self.assertEqual(len(self.order()), 2)

    def test_the_orchestrator_may_set_another_pace(self):
        self.c.query("SET tasker.aging = '5'")
        template = self.e.register(ONE)
        old, high = self.waiting(template), self.waiting(template, priority=2)
        self.e.wait(11, old)
        self.assertEqual(self.order(), [old, high])

    def test_a_fan_out_lets_later_tasks_through(self):
        big = self.fan_out(2000)
        small = [self.waiting(self.e.register(ONE)) for _ in range(20)]
        first = self.order(STEPS + len(small))
        self.assertEqual(first, [big] * STEPS + small)  # the first turn of the large task, then everybody else's
        self.assertEqual(set(self.order(100)), {big})

    def test_usual_turns_are_of_64_steps(self):
        self.c.query("RESET tasker.turn_steps")
        big = self.fan_out(200)
        small = self.waiting(self.e.register(ONE))
        self.assertEqual(self.order(66), [big] * 64 + [small, big])

    def test_the_later_steps_of_a_small_task_do_not_wait_behind_it_either(self):
        big, template = self.fan_out(2000), self.e.register(CHAIN)
        self.order(STEPS)
        small = self.waiting(template)
        for _ in range(4):
            step, = of(self.e.claim(1), "assign")
            self.assertEqual(step.task_uuid, small)
            self.e.settle([step], {"shop": 0})
        self.assertEqual(self.e.task(small).state, "complete")
        self.assertEqual(self.order(1), [big])

    def test_two_fan_outs_take_turns(self):
        one, two = self.fan_out(100), self.fan_out(100)
        found = self.order(6 * STEPS)
        self.assertEqual(found, ([one] * STEPS + [two] * STEPS) * 3)

    def test_a_fan_out_does_not_starve(self):
        """Its next turn comes before tasks that come ten seconds later."""
        big, template = self.fan_out(100), self.e.register(ONE)
        self.order(STEPS)
        small = self.waiting(template)
        self.e.wait(TURN + 1, big)
        self.assertEqual(self.order(STEPS + 1), [big] * STEPS + [small])

    def test_what_becomes_ready_in_a_large_task_waits_behind_it(self):
        """One step at a time makes another one ready: they do not come as if the task were small."""
        graph = {"first": [], **{f"m{i:03}": ["first"] for i in range(100)}, **{f"n{i:03}": [f"m{i:03}"] for i in range(100)}}
        rows = self.e.create(self.e.register(graph), credit=1)
        big = self.one(rows, "created").task_uuid
        self.e.settle(of(rows, "assign"), {"shop": 0})
        template = self.e.register(ONE)
        for step in of(self.e.claim(STEPS), "assign"):
            self.e.settle([step], {"shop": 0})
        small = self.waiting(template)
        found = self.order(3 * STEPS)
        self.assertEqual(found[0], small)
        self.assertEqual(self.c.value("SELECT count(*) FROM tasker.workflow_steps WHERE task_uuid = $1 AND name LIKE 'n%' AND state = 'in_progress'", big), 0)

    def test_steps_given_back_come_at_once(self):
        self.fan_out(100)
        taken = of(self.e.claim(3), "assign")
        self.order(STEPS)
        self.e.release(taken, lost=False)
        again = of(self.e.claim(3), "assign")
        self.assertEqual({r.step_uuid for r in again}, {r.step_uuid for r in taken})

    def test_a_lost_lease_is_found_behind_a_backlog(self):
        self.fan_out(100)
        taken, = of(self.e.claim(1), "assign")
        self.e.end_lease(taken)
        self.assertNotIn(taken.step_uuid, [r.step_uuid for r in of(self.e.claim(5), "assign")])
        again, = of(self.e.claim(5, lost=True), "assign")
        self.assertEqual((again.step_uuid, again.attempt), (taken.step_uuid, 2))
        self.assertEqual(of(self.e.claim(5, lost=True), "assign"), [])

    def test_a_lost_lease_is_found_by_who_asks_for_it(self):
        self.waiting(self.e.register(ONE))
        taken, = of(self.e.claim(1), "assign")
        self.e.end_lease(taken)
        self.assertEqual(self.e.claim(5, lost=False), [])
        self.assertEqual(self.c.query("SELECT visible, lost, waiting FROM tasker.queue_waiting($1)", ["shop"]), [{"visible": True, "lost": True, "waiting": 0}])
        self.assertEqual(len(of(self.e.claim(5), "assign")), 1)

    def test_what_an_old_snapshot_keeps_is_not_looked_at(self):
        steps, template = 300, self.e.register(ONE)
        holder = self.connect()
        holder.query("BEGIN ISOLATION LEVEL REPEATABLE READ")
        holder.query("SELECT count(*) FROM tasker.tasks")
        gone = of(self.e.create(template, n=steps, credit=steps), "assign")
        for taken in gone:
            self.e.end_lease(taken)
        self.e.settle(gone, {"shop": 0})
        waits = self.waiting(template)
        def read():
            return self.c.value("SELECT sum(pg_stat_get_xact_tuples_returned(indexrelid))::int FROM pg_index WHERE indrelid = 'pgmq.q_worker_shop_queue'::regclass")
        self.c.query("BEGIN")
        before = read()
        self.assertEqual([r.task_uuid for r in of(self.e.claim(10, lost=False), "assign")], [waits])
        self.assertLess(read() - before, 10)
        self.c.query("COMMIT")
        holder.query("COMMIT")

    def explained(self, task, credit=0):
        return [s["why"] for s in json.loads(self.c.value("SELECT tasker.explain_task($1, $2, $3, $4)", task, ["shop"], [2], [credit]))["steps"]]

    def test_explain_says_what_comes_before_it(self):
        template, busy = self.e.register(ONE), "is ready, but all 2 workers of namespace shop are busy"
        first, second = self.waiting(template), self.waiting(template, priority=-1)
        self.assertEqual(self.explained(first), [busy])
        self.assertEqual(self.explained(second), [busy + "; its turn comes after 1 step of 1 task, 1 of them of higher priority"])
        big = self.fan_out(2000)
        last = self.waiting(template, priority=-50)
        self.assertEqual(self.explained(last), [busy + "; its turn comes after at least 1000 steps of 1 task, 1000 of them of higher priority"])
        self.assertEqual([w.partition(";")[2] for w in self.explained(big)[:3]], [" its turn comes after 1 step of 1 task", "", ""])
        self.assertEqual(self.explained(last, credit=1), ["is ready and about to be given to a worker"])

    def test_queues_tell_how_many_wait_and_since_when(self):
        def look():
            return self.c.query("SELECT visible, lost, waiting, oldest_at < clock_timestamp() - interval '1 hour' AS old, oldest_at IS NULL AS none "
                                "FROM tasker.queue_waiting($1)", ["shop"])[0]
        template = self.e.register(ONE)
        self.assertEqual(look(), {"visible": False, "lost": False, "waiting": 0, "old": None, "none": True})
        for _ in range(3):
            self.waiting(template)
        self.c.query("UPDATE pgmq.q_worker_shop_queue SET enqueued_at = enqueued_at - interval '2 hours' WHERE msg_id = 2")
        self.assertEqual(look(), {"visible": True, "lost": False, "waiting": 3, "old": True, "none": False})
        one, two = of(self.e.claim(2), "assign")
        self.assertEqual(look(), {"visible": True, "lost": False, "waiting": 1, "old": False, "none": False})
        self.e.end_lease(two)
        self.assertEqual(look(), {"visible": True, "lost": True, "waiting": 1, "old": False, "none": False})

    def test_more_than_are_counted_are_estimated(self):
        """With what the server's statistics say, and never less than was counted."""
        self.c.query("SET stats_fetch_consistency = none")
        self.fan_out(100)
        self.c.query("INSERT INTO pgmq.q_worker_shop_queue (vt, message) SELECT clock_timestamp() - interval '876000 hours', '{}' FROM generate_series(1, 25000)")
        self.c.query("INSERT INTO pgmq.q_worker_shop_queue (vt, message) SELECT clock_timestamp() + interval '1 day', '{}' FROM generate_series(1, 5000)")
        self.c.query("SELECT pg_stat_force_next_flush()")

        def waiting():
            return self.c.query("SELECT waiting FROM tasker.queue_waiting($1)", ["shop"])[0]["waiting"]
        eventually(lambda: waiting() == 25100, what="exact, as nothing else writes")
        self.c.query("SELECT pg_stat_reset_single_table_counters('pgmq.q_worker_shop_queue'::regclass)")
        eventually(lambda: waiting() == 10000, what="counted")
        self.c.query("DELETE FROM pgmq.q_worker_shop_queue WHERE message = '{}'")

    def test_weights(self):
        self.e.register(ONE)
        self.assertEqual(self.c.query("SELECT weight FROM tasker.queue_waiting($1)", ["shop"])[0]["weight"], 1)
        for weight, said in ((3, "weighed"), (3, "unchanged")):
            self.assertEqual(self.c.query("SELECT tasker.weigh_namespace('shop', $1, 'kim', 'why') AS o", weight)[0]["o"], said)
        self.assertEqual(self.c.query("SELECT tasker.weigh_namespace('nobody', 3, 'kim', 'why') AS o")[0]["o"], "unknown")
        self.assertEqual(self.c.query("SELECT weight FROM tasker.queue_waiting($1)", ["shop"])[0]["weight"], 3)

    def test_messages_of_before_there_were_turns_keep_their_order(self):
        template = self.e.register(ONE)
        tasks = [self.waiting(template) for _ in range(3)]
        self.c.query("UPDATE pgmq.q_worker_shop_queue SET vt = vt + interval '876000 hours'")
        with open(f"{__file__.rsplit('/', 3)[0]}/migrations/schema/0007_fair.sql", encoding="utf-8") as f:
            self.c.script(f.read())
        later = self.waiting(template)
        self.assertEqual(self.order(), [*tasks, later])
