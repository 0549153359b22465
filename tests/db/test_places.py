# SPDX-License-Identifier: MIT
"""The edges of a template know the places of their ends: those that were there before they did, too."""
import os

from engine import DIAMOND, DbTest
from lib import pg

GROWING = {"first": [], "decide": ["first"], "branch": ["decide"], "last": ["first", "decide"]}
PLACES = "SELECT digest, from_no, to_no, from_pos, to_pos FROM tasker.template_edges ORDER BY 1, 2, 3"
BEFORE = """ALTER TABLE tasker.template_edges DROP COLUMN from_pos, DROP COLUMN to_pos;
ALTER TABLE tasker.template_steps DROP CONSTRAINT template_steps_name_digest_key, ADD CONSTRAINT template_steps_digest_name_key UNIQUE (digest, name)"""


class Places(DbTest):
    def setUp(self):
        super().setUp()
        self.e.register(DIAMOND)
        self.growing = self.e.register(GROWING, name="growing", decide={"step_type": "decision"}, branch={"at_start": False})

    def test_an_edge_to_a_step_that_is_made_later_has_none(self):
        places = [(r.from_no, r.to_no, r.from_pos, r.to_pos) for r in self.c.query(PLACES) if r.digest == self.growing.digest]
        self.assertEqual(places, [(0, 1, 1, 2), (0, 3, 1, 3), (1, 2, 0, 0), (1, 3, 2, 3)])

    def test_the_migration_finds_what_registering_writes(self):
        known = self.c.query(PLACES)
        self.c.script(BEFORE)
        with open(os.path.join(pg.ROOT, "migrations", "schema", "0016_edge_places.sql"), encoding="utf-8") as f:
            self.c.script(f.read())
        self.assertEqual(self.c.query(PLACES), known)

    def test_who_does_not_know_of_them_is_refused(self):
        """As the function that registered templates before would be, between the schema's migration and its own: better than a graph without edges."""
        with self.assertRaises(pg.PgError):
            self.c.query("INSERT INTO tasker.template_edges (digest, from_no, to_no) VALUES ($1, 0, 2)", self.growing.digest)
