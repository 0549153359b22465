/* SPDX-License-Identifier: MIT */
/* From handler definitions to functions, and what is said when there is none. */
#include "worker/handler/resolver.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static int first(struct tkw_context *ctx, struct tkw_result *result) { (void)ctx; return tkw_success(result); }
static int second(struct tkw_context *ctx, struct tkw_result *result) { (void)ctx; return tkw_permanent(result, "x", "y"); }
static int third(struct tkw_context *ctx, struct tkw_result *result) { (void)ctx; return tkw_retryable(result, "x", "y"); }

static const struct tkw_method methods[] = {{"refund", third}, {0}};
static const struct tkw_handler handlers[] = {{"one", first, methods}, {"Two", second, NULL}, {"step_a", third, NULL}};
static const struct tkw_module module = {.abi = TKW_ABI, .name = "m", .handlers = handlers, .handlers_n = 3};

static struct work_registry *registry_new(void)
{
        struct work_registry *registry = work_registry_new();
        assert_int_equal(work_registry_add(registry, &module, NULL), 0);
        return registry;
}

static void resolves(void **state)
{
        static const struct {
                struct work_definition def;
                tkw_handler_fn *fn;
        } cases[] = {
                {{"one", "call", NULL, "s"}, first},
                {{"one", NULL, NULL, "step_a"}, first},             /* explicit before step name */
                {{"one", "refund", NULL, "s"}, third},
                {{"A::B::Two", "call", NULL, "s"}, second},
                {{"a.b.Two", "call", NULL, "s"}, second},
                {{"./lib/Two", "call", NULL, "s"}, second},
                {{"crate::Unknown", "call", NULL, "step_a"}, third},
                {{"one", "call", "explicit_mapping", "s"}, first},
                {{"one", "refund", "ExplicitMappingResolver", "s"}, third},
                {{"whatever", "call", "step_name", "step_a"}, third},
        };
        struct work_registry *registry = registry_new();
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                tkw_handler_fn *fn = NULL;
                const struct work_handler *handler;
                assert_int_equal(work_resolve(registry, &cases[i].def, &fn, &handler, NULL), WORK_RESOLVE_OK);
                assert_ptr_equal(fn, cases[i].fn);
                assert_ptr_equal(handler->module, &module);
        }
        work_registry_free(registry);
}

static void failures_have_their_types(void **state)
{
        static const struct {
                struct work_definition def;
                const char *type, *text;
        } cases[] = {
                {{"none", "call", NULL, "s"}, "handler_not_found", "Handler not found: \"none\" (tried"},
                {{"none", "call", "explicit_mapping", "step_a"},
                 "handler_not_found",
                 "resolver explicit_mapping cannot resolve \"none\""},
                {{"one", "void", NULL, "s"}, "handler_method_not_found", "Handler \"one\" has no method \"void\""},
                {{"Two", "refund", NULL, "s"},
                 "handler_method_not_found",
                 "Handler \"Two\" has no method \"refund\""},
                {{"one", "call", "magic", "s"}, "resolver_not_found", "Resolver not found: \"magic\""},
        };
        struct work_registry *registry = registry_new();
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                tkw_handler_fn *fn = NULL;
                const struct work_handler *handler;
                struct tk_err err = {0};
                int r = work_resolve(registry, &cases[i].def, &fn, &handler, &err);
                assert_int_not_equal(r, WORK_RESOLVE_OK);
                assert_string_equal(work_resolve_error_type(r), cases[i].type);
                assert_non_null(strstr(tk_err_text(&err), cases[i].text));
        }
        work_registry_free(registry);
}

static void bad_modules_are_refused_whole(void **state)
{
        static const struct tkw_handler twice[] = {{"new", first, NULL}, {"new", second, NULL}};
        static const struct tkw_handler taken[] = {{"fresh", first, NULL}, {"one", second, NULL}};
        static const struct tkw_handler empty[] = {{"", first, NULL}}, no_fn[] = {{"x", NULL, NULL}};
        static const struct {
                struct tkw_module module;
                const char *text;
        } cases[] = {
                {{.abi = TKW_ABI, .name = "b", .handlers = twice, .handlers_n = 2}, "lists handler \"new\" twice"},
                {{.abi = TKW_ABI, .name = "b", .handlers = taken, .handlers_n = 2}, "already registered by module m"},
                {{.abi = TKW_ABI, .name = "b", .handlers = empty, .handlers_n = 1}, "must have 1 to 255 bytes"},
                {{.abi = TKW_ABI, .name = "b", .handlers = no_fn, .handlers_n = 1}, "has no function"},
                {{.abi = TKW_ABI + 1, .name = "b"}, "made for version 2"},
        };
        struct work_registry *registry = registry_new();
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct tk_err err = {0};
                assert_true(work_registry_add(registry, &cases[i].module, &err) < 0);
                assert_non_null(strstr(tk_err_text(&err), cases[i].text));
        }
        assert_int_equal(work_registry_count(registry), 3);
        assert_null(work_registry_find(registry, "fresh", 5));
        work_registry_free(registry);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(resolves),
                cmocka_unit_test(failures_have_their_types),
                cmocka_unit_test(bad_modules_are_refused_whole),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
