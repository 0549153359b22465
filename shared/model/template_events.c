/* SPDX-License-Identifier: MIT */
/* model/template_events.c: the domain events that steps publish (docs/events.md), and names that stand for them. */
#include "model/event.h"
#include "base/str.h"
#include "json/json.h"
#include "model/template_internal.h"
#include <stdio.h>

enum { POINTER_MAX = 96 };

static const char *const condition_names[] = {"success", "failure", "retryable_failure", "permanent_failure", "always"};
static const char *const delivery_names[] = {"durable", "fast", "broadcast"};

static unsigned word(const char *const *words, unsigned n, const char *text)
{
        for (unsigned i = 0; i < n; i++)
                if (tk_streq(words[i], text))
                        return i;
        return 0;
}

const char *tk_event_condition_name(enum tk_event_condition condition)
{
        return condition_names[condition];
}

const char *tk_event_delivery_name(enum tk_event_delivery delivery)
{
        return delivery_names[delivery];
}

bool tk_event_holds(enum tk_event_condition condition, enum tk_event_outcome outcome)
{
        switch (condition) {
        case TK_EVENT_SUCCESS:
                return outcome == TK_OUTCOME_SUCCESS;
        case TK_EVENT_FAILURE:
                return outcome != TK_OUTCOME_SUCCESS;
        case TK_EVENT_RETRYABLE_FAILURE:
                return outcome == TK_OUTCOME_RETRIED;
        case TK_EVENT_PERMANENT_FAILURE:
                return outcome == TK_OUTCOME_FAILED;
        case TK_EVENT_ALWAYS:
                break;
        }
        return true;
}

/* One segment of the pattern against one of the name; moves both behind them and their dot. */
static bool segment(const char **pattern, const char **name)
{
        size_t p = strcspn(*pattern, "."), n = strcspn(*name, ".");
        bool same = (p == 1 && **pattern == '*') || (p == n && !memcmp(*pattern, *name, p));
        *pattern += p + ((*pattern)[p] == '.');
        *name += n + ((*name)[n] == '.');
        return same;
}

static bool matches(const char *pattern, const char *name)
{
        while (*pattern && *name) {
                if (!strncmp(pattern, "**", 2) && (!pattern[2] || pattern[2] == '.')) {
                        const char *rest = pattern + 2 + (pattern[2] == '.');
                        for (;; name += *name == '.') { /* any number of segments, none included */
                                if (matches(rest, name))
                                        return true;
                                name += strcspn(name, ".");
                                if (!*name)
                                        return !*rest;
                        }
                }
                if (!segment(&pattern, &name))
                        return false;
        }
        return !*name && (!*pattern || !strcmp(pattern, "**"));
}

bool tk_event_matches(const char *pattern, const char *name)
{
        return tk_streq(pattern, "*") || matches(pattern, name);
}

bool tk_event_pattern_ok(const char *pattern)
{
        unsigned open = 0; /* each '**' multiplies the ways to match */
        for (const char *at = pattern;; at++) {
                size_t n = strcspn(at, ".");
                bool star = (n == 1 && *at == '*') || (n == 2 && !memcmp(at, "**", 2));
                open += n == 2 && star;
                if (!n || n > TK_EVENT_NAME_MAX || (!star && strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789_") != n))
                        return false;
                at += n;
                if (!*at)
                        return open <= 2 && (size_t)(at - pattern) <= TK_EVENT_NAME_MAX;
        }
}

static int build_event(struct tk_template_source *src, struct tk_template_step *step, const json_t *in, const char *at, struct tk_err *err)
{
        struct tk_template_event *event = &step->events[step->events_n];
        event->name = tk_json_str(in, "name");
        event->publisher = tk_json_str(in, "publisher");
        event->condition = (enum tk_event_condition)word(condition_names, tk_countof(condition_names), tk_json_str(in, "condition"));
        event->delivery = (enum tk_event_delivery)word(delivery_names, tk_countof(delivery_names), tk_json_str(in, "delivery_mode"));
        for (uint32_t i = 0; i < step->events_n; i++)
                if (tk_streq(step->events[i].name, event->name) && step->events[i].condition == event->condition)
                        return tk_template_fail(src, err, at, "step '%s' publishes '%s' twice with condition %s", step->name, event->name,
                                                condition_names[event->condition]);
                else if (tk_streq(step->events[i].name, event->name))
                        tk_template_warn(src, at, "step '%s' publishes '%s' more than once", step->name, event->name);
        step->events_n++;
        return 0;
}

int tk_template_build_events(struct tk_template_source *src, struct tk_template *tpl, uint32_t at_step, struct tk_err *err)
{
        struct tk_template_step *step = &tpl->steps[at_step];
        const json_t *list = json_object_get(json_array_get(json_object_get(tpl->body, "steps"), at_step), "publishes_events");
        size_t n = json_array_size(list);
        char at[POINTER_MAX];
        if (!n)
                return 0;
        snprintf(at, sizeof at, "/steps/%u/publishes_events", at_step);
        if (n > TK_EVENTS_MAX)
                return tk_template_fail(src, err, at, "publishes_events may have %d entries, found %zu", TK_EVENTS_MAX, n);
        step->events = TK_ARENA_ARRAY(tpl->arena, struct tk_template_event, n);
        for (size_t i = 0; i < n; i++) {
                snprintf(at, sizeof at, "/steps/%u/publishes_events/%zu", at_step, i);
                int r = build_event(src, step, json_array_get(list, i), at, err);
                if (r)
                        return r;
        }
        return 0;
}
