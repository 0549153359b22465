# SPDX-License-Identifier: MIT
"""The functions that are written out for the queues there are: every namespace works, named in them or not, and none is forgotten."""
import threading

from engine import CHAIN, SHAPES, DbTest, Engine, kinds, of

WRITTEN = "SELECT prosrc FROM pg_proc WHERE oid IN ('tasker._hand_on'::regproc, 'tasker._hand_on_all'::regproc)"


class HandOn(DbTest):
    def run_all(self, namespace):
        """Some tasks of each shape from beginning to end, one at a time and together; nothing is left in the queue."""
        for single in (True, False):
            engine, credit = Engine(self.c, single), {namespace: 1000}
            for name, graph in SHAPES.items():
                held = of(engine.create(engine.register(graph, name=f"{name} {single}", namespace=namespace), n=1 if single else 3, credit=1000), "assign")
                while held:
                    took = held[:1] if single else held
                    held = held[len(took):] + of(engine.settle(took, credit), "assign")
        self.assertEqual(self.c.value(f"SELECT count(*) FROM pgmq.q_worker_{namespace}_queue"), 0)
        self.assertEqual(self.c.value("SELECT count(*) FROM tasker.open_tasks"), 0)

    def named(self, namespace):
        return all(f"q_worker_{namespace}_queue " in text for text in self.c.column(WRITTEN))

    def test_a_namespace_is_named_once_it_has_a_queue(self):
        self.run_all("first")  # this session has called them before the second is there
        self.assertFalse(self.named("second"))
        self.run_all("second")
        self.assertTrue(self.named("first") and self.named("second"))

    def test_one_that_is_not_named(self):
        self.e.register(CHAIN, namespace="known")
        self.e.register(CHAIN, namespace="unknown")
        self.c.query("SELECT tasker._write_hand_on(1)")
        self.assertTrue(self.named("known") and not self.named("unknown"))
        self.run_all("unknown")
        self.c.query("SELECT tasker._write_hand_on(0)")
        self.assertFalse(self.named("known"))
        self.run_all("known")

    def test_a_queue_made_anew(self):
        self.run_all("shop")
        self.c.query("SELECT pgmq.drop_queue('worker_shop_queue')")
        self.c.query("SELECT pgmq.create('worker_shop_queue')")
        self.run_all("shop")

    def test_many_namespaces_at_once(self):
        def register(n):
            with self.connect() as c:
                Engine(c).register(CHAIN, namespace=f"space_{n}")
        threads = [threading.Thread(target=register, args=(n,)) for n in range(12)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual([n for n in range(12) if not self.named(f"space_{n}")], [])
        held = of(self.e.create(self.e.register(CHAIN, namespace="space_7"), credit=1), "assign")
        self.assertEqual(kinds(self.e.settle(held, {"space_7": 1})), {"settled": 1, "assign": 1})
