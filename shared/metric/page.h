/* SPDX-License-Identifier: MIT */
/* metric/page.h: what every service shows of itself beside its own rows: actors, mailboxes, process. */
#pragma once
#include "metric/metric.h"
#include "run/actor.h"

/* tasker_actor_* and tasker_mailbox_* samples, one per actor (label "actor"), the histograms of run/spread.h, the meters of run/meter.h. */
void tk_metrics_text_actors(struct tk_buf *out, struct tk_actor *const *actors, size_t n);
/* process_resident_memory_bytes, process_cpu_seconds_total, process_open_fds, process_start_time_seconds, tasker_build_info. */
void tk_metrics_text_process(struct tk_buf *out, const char *service, const char *version);
/* All of it as one JSON object: {service, version, pid, time, process: {…}, actors: [{actor, figures…}],
 * times: [{what, name, count, sum, p50, p95, p99, max}], streams: […], connections: […], permits: […], metrics: {…}}; times in
 * seconds. What GET /v1/debug/runtime answers and SIGUSR1 logs. */
void tk_metrics_json_runtime(struct tk_buf *out, const char *service, const char *version,
                             struct tk_metrics *metrics, struct tk_actor *const *actors, size_t n);
