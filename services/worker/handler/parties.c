/* SPDX-License-Identifier: MIT */
/* worker/handler/parties.c: see the header. */
#include "worker/handler/parties.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/event.h"
#include <errno.h>

enum { PUBLISHERS_MAX = 1000, PATTERNS_MAX = 32, NAME_MAX_BYTES = 64 };

struct work_parties {
        struct tk_map *publishers; /* name → struct tkw_publisher, not owned */
        size_t subscribers_n;
        struct work_subscriber subscribers[WORK_SUBSCRIBERS_MAX];
};

struct work_parties *work_parties_new(void)
{
        struct work_parties *parties = TK_NEW(struct work_parties);
        parties->publishers = tk_map_new();
        return parties;
}

static void subscriber_deinit(struct work_subscriber *s)
{
        for (size_t i = 0; i < s->patterns_n; i++)
                tk_free(s->patterns[i]);
        tk_free(s->patterns);
        *s = (struct work_subscriber){0};
}

struct work_parties *work_parties_free(struct work_parties *parties)
{
        if (!parties)
                return NULL;
        for (size_t i = 0; i < parties->subscribers_n; i++)
                subscriber_deinit(&parties->subscribers[i]);
        tk_map_free(parties->publishers);
        return tk_free(parties);
}

static int add_publisher(struct work_parties *parties, const struct tkw_publisher *p, const char *from, struct tk_err *err)
{
        if (!p->name || !*p->name || !p->fn)
                return TK_ERR(err, -EINVAL, "%s: a publisher needs a name and a function", from);
        if (tk_map_count(parties->publishers) >= PUBLISHERS_MAX)
                return TK_ERR(err, -E2BIG, "%s: more than %d publishers", from, PUBLISHERS_MAX);
        if (tk_map_gets(parties->publishers, p->name))
                return TK_ERR(err, -EEXIST, "%s: publisher \"%s\" is registered already", from, p->name);
        tk_map_puts(parties->publishers, p->name, (void *)(uintptr_t)p);
        return 0;
}

static int add_pattern(struct work_subscriber *s, const char *from, const char *text, size_t len, struct tk_err *err)
{
        char *pattern = tk_strndup(text, len);
        if (!tk_event_pattern_ok(pattern) || s->patterns_n == PATTERNS_MAX) {
                int r = TK_ERR(err, -EINVAL,
                               "%s: subscriber \"%s\" may have up to %d patterns of segments in lower case, '*' or (at most two) '**', "
                               "joined by dots; found '%.100s'",
                               from, s->name, PATTERNS_MAX, pattern);
                tk_free(pattern);
                return r;
        }
        s->patterns = tk_realloc(s->patterns, s->patterns_n + 1, sizeof *s->patterns);
        s->patterns[s->patterns_n++] = pattern;
        return 0;
}

static int split(struct work_subscriber *s, const char *from, const char *list, struct tk_err *err)
{
        int r = 0;
        for (const char *at = list + strspn(list, " "); *at && !r; at += strspn(at, " ")) {
                size_t len = strcspn(at, " ");
                r = add_pattern(s, from, at, len, err);
                at += len;
        }
        return !r && !s->patterns_n ? TK_ERR(err, -EINVAL, "%s: subscriber \"%s\" has no pattern", from, s->name) : r;
}

/* The place of the next subscriber, named. */
static int next_place(struct work_parties *parties, const char *name, const char *from, struct work_subscriber **ret, struct tk_err *err)
{
        if (!name || !*name || strlen(name) > NAME_MAX_BYTES)
                return TK_ERR(err, -EINVAL, "%s: the name of a subscriber must have 1 to %d bytes", from, NAME_MAX_BYTES);
        if (parties->subscribers_n == WORK_SUBSCRIBERS_MAX)
                return TK_ERR(err, -E2BIG, "%s: more than %d subscribers", from, WORK_SUBSCRIBERS_MAX);
        for (size_t i = 0; i < parties->subscribers_n; i++)
                if (tk_streq(parties->subscribers[i].name, name))
                        return TK_ERR(err, -EEXIST, "%s: subscriber \"%s\" is registered already", from, name);
        *ret = &parties->subscribers[parties->subscribers_n];
        **ret = (struct work_subscriber){.name = name};
        return 0;
}

static int add_subscriber(struct work_parties *parties, const struct tkw_subscriber *in, const char *from, struct tk_err *err)
{
        struct work_subscriber *s;
        int r = next_place(parties, in->name, from, &s, err);
        if (!r && !in->fn)
                r = TK_ERR(err, -EINVAL, "%s: subscriber \"%s\" has no function", from, in->name);
        if (r)
                return r;
        s->fn = in->fn;
        s->user = in->user;
        r = split(s, from, in->pattern ? in->pattern : "", err);
        if (r)
                subscriber_deinit(s);
        else
                parties->subscribers_n++;
        return r;
}

int work_parties_add(struct work_parties *parties, const struct tkw_events *events, const char *from, struct tk_err *err)
{
        int r = 0;
        if (!events || events->abi != TKW_ABI)
                return TK_ERR(err, -EINVAL, "%s: its events are made for version %u of the handler interface, this worker has %d", from,
                              events ? events->abi : 0, TKW_ABI);
        for (size_t i = 0; i < events->publishers_n && !r; i++)
                r = add_publisher(parties, &events->publishers[i], from, err);
        for (size_t i = 0; i < events->subscribers_n && !r; i++)
                r = add_subscriber(parties, &events->subscribers[i], from, err);
        return r;
}

static int log_event(struct tkw_event *event, void *user)
{
        (void)user;
        tk_log_info("event.published", NULL, TK_STR("name", tkw_event_name(event)), TK_STR("event_id", tkw_event_id(event)),
                    TK_STR("task_uuid", tkw_str(tkw_event_metadata(event, "task_uuid"))),
                    TK_STR("step_name", tkw_str(tkw_event_metadata(event, "step_name"))),
                    TK_STR("correlation_id", tkw_str(tkw_event_metadata(event, "correlation_id"))));
        return 0;
}

int work_parties_add_log(struct work_parties *parties, const struct tk_conf_list *patterns, struct tk_err *err)
{
        struct work_subscriber *s;
        if (!patterns->count)
                return 0;
        int r = next_place(parties, "log", "events.log", &s, err);
        for (size_t i = 0; i < patterns->count && !r; i++)
                r = add_pattern(s, "events.log", patterns->items[i], strlen(patterns->items[i]), err);
        if (r)
                return r;
        s->fn = log_event;
        parties->subscribers_n++;
        return 0;
}

const struct tkw_publisher *work_parties_publisher(const struct work_parties *parties, const char *name)
{
        return name ? tk_map_gets(parties->publishers, name) : NULL;
}

const struct work_subscriber *work_parties_subscribers(const struct work_parties *parties, size_t *ret_n)
{
        *ret_n = parties->subscribers_n;
        return parties->subscribers;
}
