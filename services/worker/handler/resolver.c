/* SPDX-License-Identifier: MIT */
/* worker/handler/resolver.c: see the header. */
#include "worker/handler/resolver.h"
#include "base/str.h"

typedef const struct work_handler *resolve_fn(const struct work_registry *registry, const struct work_definition *def);

static const struct work_handler *explicit_mapping(const struct work_registry *registry, const struct work_definition *def)
{
        return work_registry_find(registry, def->callable, strlen(def->callable));
}

static const struct work_handler *class_constant(const struct work_registry *registry, const struct work_definition *def)
{
        const char *last = NULL;
        for (const char *at = def->callable; (at = strstr(at, "::")); )
                last = at += 2;
        return last ? work_registry_find(registry, last, strlen(last)) : NULL;
}

static const struct work_handler *class_lookup(const struct work_registry *registry, const struct work_definition *def)
{
        const char *last = NULL;
        for (const char *at = def->callable; *at; at++)
                if (*at == '.' || *at == '/')
                        last = at + 1;
        return last ? work_registry_find(registry, last, strlen(last)) : NULL;
}

static const struct work_handler *step_name(const struct work_registry *registry, const struct work_definition *def)
{
        return work_registry_find(registry, def->step_name, strlen(def->step_name));
}

static const struct {
        const char *name, *alias; /* the alias is how native templates of the reference spell it */
        resolve_fn *resolve;
} chain[] = {
        {"explicit_mapping", "ExplicitMappingResolver", explicit_mapping},
        {"class_constant", "ClassConstantResolver", class_constant},
        {"class_lookup", "ClassLookupResolver", class_lookup},
        {"step_name", "StepNameResolver", step_name},
};

static int by_hint(const struct work_registry *registry, const struct work_definition *def,
                   const struct work_handler **ret, struct tk_err *err)
{
        for (size_t i = 0; i < tk_countof(chain); i++) {
                if (!tk_streq(def->resolver, chain[i].name) && !tk_streq(def->resolver, chain[i].alias))
                        continue;
                *ret = chain[i].resolve(registry, def);
                return *ret ? WORK_RESOLVE_OK
                            : TK_ERR(err, WORK_RESOLVE_E_HANDLER,
                                     "Handler not found: resolver %s cannot resolve \"%.200s\"", chain[i].name,
                                     def->callable);
        }
        return TK_ERR(err, WORK_RESOLVE_E_RESOLVER,
                      "Resolver not found: \"%.100s\"; known are explicit_mapping, class_constant, class_lookup, step_name", def->resolver);
}

static int by_chain(const struct work_registry *registry, const struct work_definition *def,
                    const struct work_handler **ret, struct tk_err *err)
{
        for (size_t i = 0; i < tk_countof(chain); i++)
                if ((*ret = chain[i].resolve(registry, def)))
                        return WORK_RESOLVE_OK;
        return TK_ERR(err, WORK_RESOLVE_E_HANDLER,
                      "Handler not found: \"%.200s\" (tried explicit_mapping, class_constant, class_lookup, step_name \"%.100s\"; "
                      "%zu handlers are registered)",
                      def->callable, def->step_name, work_registry_count(registry));
}

static int by_method(const struct work_handler *found, const char *method, tkw_handler_fn **ret_fn, struct tk_err *err)
{
        if (!method || !*method || tk_streq(method, "call")) {
                *ret_fn = found->handler->fn;
                return WORK_RESOLVE_OK;
        }
        for (const struct tkw_method *m = found->handler->methods; m && m->name; m++)
                if (tk_streq(m->name, method)) {
                        *ret_fn = m->fn;
                        return WORK_RESOLVE_OK;
                }
        return TK_ERR(err, WORK_RESOLVE_E_METHOD, "Handler \"%s\" has no method \"%.100s\"", found->handler->name, method);
}

int work_resolve(const struct work_registry *registry, const struct work_definition *def, tkw_handler_fn **ret_fn,
                 const struct work_handler **ret_handler, struct tk_err *err)
{
        const struct work_handler *found = NULL;
        int r = def->resolver && *def->resolver ? by_hint(registry, def, &found, err)
                                                : by_chain(registry, def, &found, err);
        if (!r)
                r = by_method(found, def->method, ret_fn, err);
        if (!r)
                *ret_handler = found;
        return r;
}

const char *work_resolve_error_type(int outcome)
{
        static const char *const types[] = {
                [WORK_RESOLVE_OK] = "", [WORK_RESOLVE_E_HANDLER] = "handler_not_found",
                [WORK_RESOLVE_E_METHOD] = "handler_method_not_found", [WORK_RESOLVE_E_RESOLVER] = "resolver_not_found",
        };
        return types[outcome];
}
