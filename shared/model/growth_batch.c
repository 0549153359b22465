/* SPDX-License-Identifier: MIT */
/* model/growth_batch.c: {"type": "no_batches"} or {"type": "create_batches", "worker_template_name", "cursor_configs": […], …}
 * as instances of a batch_worker step. */
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "json/json.h"
#include "model/growth_internal.h"
#include <errno.h>

enum { BATCH_ID_MAX = 64, INPUTS_MAX = 64 * 1024 * 1024 };
static const char placeholder_id[] = "000";

static const char *analyzer(const struct tk_growing *g)
{
        return g->tpl->steps[g->source].name;
}

static bool is_child(const struct tk_growing *g, uint32_t no)
{
        const struct tk_template_step *step = &g->tpl->steps[no];
        for (uint32_t k = 0; k < step->parents_n; k++)
                if (step->parents[k] == g->source)
                        return true;
        return false;
}

/* What the analyzer's settings name, else its only worker. NULL: none. */
static const char *default_worker(const struct tk_growing *g)
{
        const struct tk_template_step *step = &g->tpl->steps[g->source];
        const char *said = tk_json_str(step->handler.initialization, "worker_template_name");
        if (step->batch.worker_template || said)
                return step->batch.worker_template ? step->batch.worker_template : said;
        const char *only = NULL;
        for (uint32_t k = g->first[g->source]; k < g->first[g->source + 1]; k++) {
                const struct tk_template_step *child = &g->tpl->steps[g->child[k]];
                if (child->type != TK_STEP_BATCH_WORKER)
                        continue;
                if (only)
                        return NULL;
                only = child->name;
        }
        return only;
}

static int find_worker(struct tk_growing *g, const json_t *outcome, struct tk_err *err)
{
        const char *name = tk_json_str(outcome, "worker_template_name");
        if (!name)
                name = default_worker(g);
        if (!name)
                return TK_ERR(err, -EINVAL, "analyzer '%s' does not say which batch_worker step is meant (worker_template_name)", analyzer(g));
        int no = tk_template_step_find(g->tpl, name);
        if (no < 0 || g->tpl->steps[no].type != TK_STEP_BATCH_WORKER || !is_child(g, (uint32_t)no))
                return TK_ERR(err, -EINVAL, "analyzer '%s' names '%.100s', which is not a batch_worker step that depends on it", analyzer(g), name);
        if (g->status[no] != TK_GROWTH_ABSENT)
                return TK_ERR(err, -EINVAL, "analyzer '%s' names '%s', which another analyzer has made batches of", analyzer(g), name);
        g->worker = (uint16_t)no;
        return 0;
}

/* The settings of the template's handler and, over them, what makes this instance. Takes over cursor. */
static int add_instance(struct tk_growing *g, struct tk_buf *buf, const char *batch_id, json_t *cursor, bool no_op, struct tk_err *err)
{
        const struct tk_template_step *worker = &g->tpl->steps[g->worker];
        const char *strategy = worker->batch.failure_strategy, *field = worker->batch.cursor_field;
        struct tk_grown_step *step = &g->instances[g->instances_n++];
        uint32_t window = worker->batch.parallelism && worker->batch.parallelism < g->limits->parallel_max ? worker->batch.parallelism
                                                                                                          : g->limits->parallel_max;
        TK_AUTOJSON json_t *inputs = json_copy(worker->handler.initialization);
        json_object_set_new(inputs, "cursor", cursor);
        json_object_set_new(inputs, "batch_metadata", json_pack("{s:s,s:s}", "cursor_field", field ? field : "id", "failure_strategy",
                                                                strategy ? strategy : "continue_on_failure"));
        json_object_set_new(inputs, "is_no_op", json_boolean(no_op));
        json_object_set_new(inputs, "__template_step_name", json_string(worker->name));
        json_object_set_new(inputs, "__window", json_integer(window)); /* one that runs again takes its turn in it: tasker._take_turns */
        size_t before = buf->len;
        tk_json_dump(inputs, buf);
        if (tk_buf_failed(buf))
                return TK_ERR(err, -EINVAL, "analyzer '%s': the inputs of its batches have more than %d bytes together", analyzer(g), INPUTS_MAX);
        *step = (struct tk_grown_step){
                .no = g->worker, .instance = g->instances_n, .held = g->instances_n > window,
                .name = tk_arena_printf(g->arena, "%s_%s", worker->name, batch_id),
                .inputs = tk_arena_strndup(g->arena, buf->data + before, buf->len - before),
        };
        if (tk_template_step_find(g->tpl, step->name) >= 0)
                return TK_ERR(err, -EINVAL, "analyzer '%s': batch_id '%s' makes the name '%s', which a step of the template has", analyzer(g),
                              batch_id, step->name);
        return 0;
}

static int check_config(struct tk_growing *g, struct tk_map *ids, json_t *config, size_t at, struct tk_err *err)
{
        const char *id = tk_json_str(config, "batch_id");
        if (!json_is_object(config) || !id || !*id || strlen(id) > BATCH_ID_MAX)
                return TK_ERR(err, -EINVAL, "analyzer '%s': cursor_configs[%zu] needs a batch_id, a text of 1 to %d bytes", analyzer(g), at,
                              BATCH_ID_MAX);
        if (!json_object_get(config, "start_cursor") || !json_object_get(config, "end_cursor"))
                return TK_ERR(err, -EINVAL, "analyzer '%s': cursor_configs[%zu] (batch_id '%s') needs start_cursor and end_cursor",
                              analyzer(g), at, id);
        if (tk_map_puts(ids, id, ids))
                return TK_ERR(err, -EINVAL, "analyzer '%s': batch_id '%s' stands twice in cursor_configs", analyzer(g), id);
        return 0;
}

static int create_batches(struct tk_growing *g, const json_t *outcome, struct tk_err *err)
{
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, INPUTS_MAX);
        const json_t *configs = json_object_get(outcome, "cursor_configs"), *count = json_object_get(outcome, "worker_count");
        size_t n = json_array_size(configs);
        if (!json_is_array(configs) || !n)
                return TK_ERR(err, -EINVAL, "analyzer '%s': create_batches needs cursor_configs, a list of at least one; no_batches says none",
                              analyzer(g));
        if (n > g->limits->instances_max)
                return TK_ERR(err, -EINVAL, "analyzer '%s' asks for %zu batches, %u are allowed (batch.instances_max)", analyzer(g), n,
                              g->limits->instances_max);
        if (json_is_integer(count) && json_integer_value(count) != (json_int_t)n)
                return TK_ERR(err, -EINVAL, "analyzer '%s': worker_count is %lld, but cursor_configs has %zu entries", analyzer(g),
                              (long long)json_integer_value(count), n);
        TK_CLEANUP(tk_map_free) struct tk_map *ids = tk_map_new();
        g->instances = TK_ARENA_ARRAY(g->arena, struct tk_grown_step, n);
        for (size_t i = 0; i < n; i++) {
                json_t *config = json_array_get(configs, i);
                int r = check_config(g, ids, config, i, err);
                if (!r)
                        r = add_instance(g, &buf, tk_json_str(config, "batch_id"), json_incref(config), false, err);
                if (r)
                        return r;
        }
        return 0;
}

/* One instance with nothing to do, so that what converges has something to converge on. */
static int no_batches(struct tk_growing *g, struct tk_err *err)
{
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, INPUTS_MAX);
        g->instances = TK_ARENA_ARRAY(g->arena, struct tk_grown_step, 1);
        return add_instance(g, &buf, placeholder_id,
                            json_pack("{s:s,s:i,s:i,s:i}", "batch_id", placeholder_id, "start_cursor", 0, "end_cursor", 0, "batch_size", 0),
                            true, err);
}

int tk_growing_batch(struct tk_growing *g, const json_t *outcome, struct tk_err *err)
{
        const char *type = tk_json_str(outcome, "type");
        bool none = tk_streq(type, "no_batches");
        if (!outcome)
                return TK_ERR(err, -EINVAL, "analyzer '%s': its result has no batch_processing_outcome", analyzer(g));
        if (!none && !tk_streq(type, "create_batches"))
                return TK_ERR(err, -EINVAL, "analyzer '%s': batch_processing_outcome.type must be no_batches or create_batches, found %.60s",
                              analyzer(g), type ? type : "none");
        if (none && !tk_json_str(outcome, "worker_template_name") && !default_worker(g))
                return 0; /* a template without a worker: nothing to wait for */
        int r = find_worker(g, outcome, err);
        if (!r)
                r = none ? no_batches(g, err) : create_batches(g, outcome, err);
        if (!r)
                g->created[g->worker] = true;
        return r;
}
