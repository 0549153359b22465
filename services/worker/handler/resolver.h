/* SPDX-License-Identifier: MIT */
/* worker/handler/resolver.h: from a step's handler definition to a function.
 *
 * Resolvers are asked in order of priority; the first that knows the callable wins:
 *    10  explicit_mapping  the callable is a registered name
 *    90  class_constant    "Module::Class": the part after the last "::" is a registered name
 *   100  class_lookup      "module.Class", "./path/Class": the part after the last '.' or '/' is
 *   200  step_name         the step's own name is
 * A definition with a `resolver` asks only that one. A `method` other than "call" must be listed by the handler. */
#pragma once
#include "base/attr.h"
#include "base/err.h"
#include "worker/handler/registry.h"

struct work_definition {
        const char *callable, *method, *resolver /* NULL: the chain */, *step_name;
};
enum { WORK_RESOLVE_OK, WORK_RESOLVE_E_HANDLER, WORK_RESOLVE_E_METHOD, WORK_RESOLVE_E_RESOLVER };
/* Outcomes other than OK are permanent failures of the step; err says what was tried. */
TK_MUST int work_resolve(const struct work_registry *registry, const struct work_definition *def, tkw_handler_fn **ret_fn,
                         const struct work_handler **ret_handler, struct tk_err *err);
/* The error_type of an outcome: handler_not_found, handler_method_not_found, resolver_not_found. */
const char *work_resolve_error_type(int outcome);
