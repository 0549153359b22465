/* SPDX-License-Identifier: MIT */
/* bench/micro/worker.c: from a template to a function: the resolver chain, and hydration. */
#include "base/mem.h"
#include "base/time.h"
#include "measure.h"
#include "micro.h"
#include "model/template.h"
#include "worker/core/sources.h"
#include "worker/core/templates.h"
#include "worker/handler/resolver.h"
#include <stdio.h>
#include <string.h>

static int nothing(struct tkw_context *ctx, struct tkw_result *result)
{
        (void)ctx;
        return tkw_success(result);
}

struct lookup {
        struct work_registry *registry;
        struct work_definition def;
};

static void resolve(void *user, uint64_t n)
{
        struct lookup *l = user;
        tkw_handler_fn *fn;
        const struct work_handler *handler;
        for (uint64_t i = 0; i < n; i++)
                (void)!work_resolve(l->registry, &l->def, &fn, &handler, NULL);
}

void micro_resolver(void)
{
        static struct tkw_handler handlers[64];
        static char names[64][32];
        struct tkw_module module = {.abi = TKW_ABI, .name = "micro", .handlers = handlers, .handlers_n = 64};
        static const struct {
                const char *name;
                struct work_definition def;
        } cases[] = {
                {"resolver, explicit mapping (first)", {.callable = "handler_17", .method = "call", .step_name = "s"}},
                {"resolver, class constant", {.callable = "Shop::handler_17", .method = "call", .step_name = "s"}},
                {"resolver, class lookup", {.callable = "shop.orders.handler_17", .method = "call", .step_name = "s"}},
                {"resolver, step name (last)", {.callable = "unknown", .method = "call", .step_name = "handler_17"}},
        };
        for (size_t i = 0; i < 64; i++) {
                (void)snprintf(names[i], sizeof names[i], "handler_%zu", i);
                handlers[i] = (struct tkw_handler){.name = names[i], .fn = nothing};
        }
        struct lookup l = {.registry = work_registry_new()};
        if (work_registry_add(l.registry, &module, NULL))
                return;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                l.def = cases[i].def;
                micro_run(cases[i].name, 1000000, resolve, &l, "");
        }
        work_registry_free(l.registry);
}

static int load(void *user, const char *digest, int64_t deadline_ns, struct tk_template **ret, struct tk_err *err)
{
        const struct work_sources *sources = user;
        (void)digest;
        (void)deadline_ns;
        return tk_template_parse_yaml("micro", sources->list[0].yaml, sources->list[0].len, NULL, ret, err);
}

struct cached {
        struct work_templates *templates;
        struct work_sources *sources;
};

static void take(void *user, uint64_t n)
{
        struct cached *c = user;
        const struct tk_template *tpl;
        for (uint64_t i = 0; i < n; i++)
                if (!work_templates_take(c->templates, c->sources->list[0].tpl->digest, TK_TIME_NEVER, &tpl, NULL))
                        work_templates_give(c->templates, tpl);
}

static void parse(void *user, uint64_t n)
{
        struct cached *c = user;
        for (uint64_t i = 0; i < n; i++) {
                struct tk_template *tpl = NULL;
                if (!load(c->sources, "", 0, &tpl, NULL))
                        tk_template_free(tpl);
        }
}

/* `folder`: with one template. */
void micro_template(const char *folder)
{
        struct work_sources sources;
        struct tk_conf_list none = {0};
        struct tk_err err = {0};
        if (work_sources_load(&sources, folder, "", &none, &err) || !sources.valid)
                return;
        struct cached c = {.sources = &sources, .templates = work_templates_new(16, load, &sources)};
        micro_run("hydration, in process", 1000000, take, &c, "");
        micro_run("hydration, parsed anew from YAML", 1000, parse, &c, "");
        work_templates_free(c.templates);
        work_sources_free(&sources);
}
