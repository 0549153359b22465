# SPDX-License-Identifier: MIT
"""How often a step may run, how long it rests in between, and who wakes it."""
import threading

from engine import CHAIN, DIAMOND, DbTest, Engine, kinds, of

ONE = {"only": []}

# (max_attempts, retryable, attempts counted so far) → may it run?
BOUNDARIES = [(0, True, 0, True), (0, True, 1, False),
              (1, True, 0, True), (1, True, 1, False),
              (3, True, 0, True), (3, True, 1, True), (3, True, 2, True), (3, True, 3, False),
              (1, False, 0, True), (3, False, 0, True), (3, False, 1, False)]


class Boundaries(DbTest):
    def test_readiness_by_the_numbers(self):
        task, _ = self.start(ONE, credit=0)
        put = ("UPDATE tasker.workflow_steps SET state = $2::tasker.step_state, max_attempts = $3, "
               "retryable = $4, attempts = $5, forgiven = $6 WHERE task_uuid = $1")
        look = "SELECT attempts, retry_eligible AS may, ready_for_execution AS ready " \
               "FROM tasker.get_step_readiness_status($1)"
        for limit, retryable, counted, may in BOUNDARIES:
            for forgiven in (0, 4):
                with self.subTest(limit=limit, retryable=retryable, counted=counted, forgiven=forgiven):
                    state = "waiting_for_retry" if counted else "pending"
                    self.c.query(put, task, state, limit, retryable, counted + forgiven, forgiven)
                    found = self.c.query(look, task)
                    self.assertEqual(found, [{"attempts": counted, "may": may, "ready": may}])
        self.c.query(put, task, "enqueued", 3, True, 0, 0)

    def runs(self, **options):
        """How often a step that always fails is handed out."""
        task, out = self.start(ONE, only={"backoff": "none", **options})
        n = 0
        while out:
            n += len(out)
            rows = self.e.settle(out, success=False)
            out = of(self.e.fire(), "assign")
        self.assertEqual(kinds(rows), {"failed": 1, "done": 1})
        self.assertEqual(self.e.task(task).state, "blocked_by_failures")
        self.assertEqual(self.e.states(task), {"only": "error"})
        return n

    def test_a_failing_step_runs_exactly_so_often(self):
        for limit, retryable, expected in ((0, True, 1), (1, True, 1), (2, True, 2), (3, True, 3),
                                           (7, True, 7), (1, False, 1), (3, False, 1)):
            with self.subTest(max_attempts=limit, retryable=retryable):
                self.assertEqual(self.runs(max_attempts=limit, retryable=retryable), expected)

    def test_a_permanent_error_ends_it_at_once(self):
        task, out = self.start(ONE, only={"max_attempts": 9})
        rows = self.e.settle(out, success=False, retryable=False)
        self.assertEqual(kinds(rows), {"failed": 1, "done": 1})
        self.assertEqual(self.e.step(task, "only").attempts, 1)
        self.assertEqual(self.c.value("SELECT count(*) FROM tasker.step_timers"), 0)

    def test_success_after_failures_completes(self):
        task, out = self.start(ONE)
        for attempt in (1, 2):
            self.assertEqual([(a.attempt, a.retry_count) for a in out], [(attempt, attempt - 1)])
            self.assertEqual(kinds(self.e.settle(out, success=False)), {"retry": 1, "done": 1})
            self.assertEqual(self.e.task(task).state, "waiting_for_retry")
            self.e.end_pauses()
            out = of(self.e.fire(), "assign")
        self.assertEqual(kinds(self.e.settle(out)), {"settled": 1, "done": 1})
        step = self.e.step(task, "only")
        self.assertEqual((step.state, step.attempts, step.forgiven), ("complete", 3, 0))
        self.assertIsNone(step.next_retry_at)
        audit = self.c.query("SELECT attempt, success FROM tasker.step_results ORDER BY attempt")
        self.assertEqual([(r.attempt, r.success) for r in audit], [(1, False), (2, False), (3, True)])


class Backoff(DbTest):
    def backoff(self, kind, base_ms, max_ms, n, jitter=0.0):
        return self.c.value("SELECT tasker.backoff_ms($1, $2, $3, $4, $5)", kind, base_ms, max_ms, n, jitter)

    def test_each_kind_without_jitter(self):
        for kind, expected in {"none": [0, 0, 0, 0, 0, 0], "fixed": [100] * 6, "linear": [100, 200, 300, 400, 500, 600],
                               "exponential": [100, 200, 400, 800, 1600, 3200],
                               "fibonacci": [100, 100, 200, 300, 500, 800]}.items():
            with self.subTest(kind):
                self.assertEqual([self.backoff(kind, 100, 60000, n) for n in range(1, 7)], expected)

    def test_jitter_moves_it_by_fifteen_percent_and_never_past_the_cap(self):
        for cap, expected in ((60000, [3400, 4300, 4600]), (4000, [3400, 4000, 4000])):
            found = [self.backoff("exponential", 1000, cap, 3, j) for j in (-1.0, 0.5, 1.0)]
            self.assertEqual(found, expected)

    def test_huge_counts_stop_at_the_cap(self):
        for kind in ("fixed", "linear", "exponential", "fibonacci"):
            found = [self.backoff(kind, 2**31 - 1, 3600000, n) for n in (1, 64, 32767)]
            self.assertEqual(found, [3600000] * 3)

    def pauses(self, n, delay_ms=-1, **options):
        """The pauses of n steps that failed once, in milliseconds by the engine's own clock."""
        out = of(self.e.create(self.e.register(ONE, only=options), n=n, credit=n), "assign")
        self.assertEqual(kinds(self.e.settle(out, success=False, delay_ms=delay_ms))["retry"], n)
        return self.c.column("""
            SELECT round(extract(epoch FROM s.next_retry_at - s.settled_at) * 1000)::int
              FROM tasker.workflow_steps s JOIN tasker.step_timers t USING (workflow_step_uuid)
             WHERE s.next_retry_at = t.due_at AND s.last_failure_at = s.settled_at
               AND s.task_uuid = ANY ($1)""",
                             [a.task_uuid for a in out])

    def test_the_pause_of_a_failed_step_is_spread_around_its_backoff(self):
        found = self.pauses(200, backoff="linear", backoff_base_ms=1000)
        self.assertEqual(len(found), 200)
        self.assertTrue(850 <= min(found) < 950 and 1050 < max(found) <= 1150, (min(found), max(found)))

    def test_a_delay_the_handler_asked_for_is_taken_as_it_is_up_to_an_hour(self):
        self.assertEqual(self.pauses(2, delay_ms=1234), [1234] * 2)
        self.assertEqual(self.pauses(2, delay_ms=2**31 - 1, backoff_max_ms=5), [3600000] * 2)
        self.assertEqual(self.pauses(1, delay_ms=0), [0])


class Timers(DbTest):
    def test_only_what_is_due_fires_and_the_next_is_told(self):
        template = self.e.register(ONE, only={"max_attempts": 5})
        soon, late = of(self.e.create(template, n=2, credit=2), "assign")
        self.e.settle([soon], success=False, delay_ms=0)
        self.e.settle([late], success=False, delay_ms=3000000)
        rows = self.e.fire()
        self.assertEqual([(r.task_uuid, r.attempt) for r in of(rows, "assign")], [(soon.task_uuid, 2)])
        left = self.c.value("SELECT due_at FROM tasker.step_timers")
        self.assertEqual(self.one(rows, "next").due_at, left)
        self.assertEqual(kinds(self.e.fire()), {})

    def test_no_timers_no_next(self):
        self.assertIsNone(self.one(self.e.fire(), "next").due_at)

    def test_no_more_than_asked_for_and_the_oldest_first(self):
        out = of(self.e.create(self.e.register(ONE), n=5, credit=5), "assign")
        for a in out:
            self.e.settle([a], success=False, delay_ms=0)
        fired = [[r.step_uuid for r in of(self.e.fire(limit=2), "assign")] for _ in range(4)]
        self.assertEqual([len(f) for f in fired], [2, 2, 1, 0])
        for i, steps in enumerate(fired[:3]):
            self.assertEqual(set(steps), {a.step_uuid for a in out[2 * i:2 * i + 2]})

    def test_without_credit_it_goes_into_the_queue(self):
        task, out = self.start(ONE)
        self.e.settle(out, success=False, delay_ms=0)
        self.assertEqual(kinds(self.e.fire(credit={"shop": 0})), {"queued": 1, "done": 1})
        self.assertEqual(self.e.states(task), {"only": "enqueued"})
        self.assertEqual(self.e.task(task).state, "steps_in_process")
        self.assertEqual(self.one(self.e.claim(), "assign").attempt, 2)

    def test_a_blocked_task_drops_its_timers(self):
        task, (start,) = self.start(DIAMOND)
        left, right = of(self.e.settle([start]), "assign")
        self.e.settle([left, right], success=False, retryable=False, delay_ms=0)
        other, (start,) = self.start(DIAMOND)
        left, right = of(self.e.settle([start]), "assign")
        self.e.settle([left], success=False, delay_ms=0)
        self.e.settle([right], success=False, retryable=False)
        self.assertEqual(kinds(self.e.fire()), {})
        self.assertEqual(self.c.value("SELECT count(*) FROM tasker.step_timers"), 0)
        self.assertEqual({self.e.task(t).state for t in (task, other)}, {"blocked_by_failures"})
        self.assertEqual(self.e.states(other)[left.step_name], "waiting_for_retry")

    def test_two_at_once_fire_each_timer_once(self):
        out = of(self.e.create(self.e.register(CHAIN), n=200, credit=200), "assign")
        self.e.settle(out, success=False, delay_ms=0)
        engines, fired = [Engine(self.connect()) for _ in range(3)], []
        threads = [threading.Thread(target=lambda e=e: fired.extend(e.fire(limit=200))) for e in engines]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        steps = [r.step_uuid for r in of(fired, "assign")]
        self.assertEqual((len(steps), len(set(steps))), (200, 200))
