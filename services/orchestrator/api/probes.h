/* SPDX-License-Identifier: MIT */
/* orchestrator/api/probes.h: what health means here: each check looks at figures that are kept anyway. */
#pragma once
#include "run/actor.h"
#include <stdbool.h>
#include <stddef.h>

struct orch_app;
struct orch_probe {
        const char *name;
        bool for_readiness;
        bool healthy;
        char message[160];
};
enum { ORCH_PROBES = 8, ORCH_ACTORS = 8 };
/* Fills all probes; true when everything that readiness needs is healthy. No I/O. */
bool orch_probes(struct orch_app *app, struct orch_probe ret[ORCH_PROBES]);
/* All actors, for metrics and health. */
void orch_actors(struct orch_app *app, struct tk_actor *ret[ORCH_ACTORS]);
