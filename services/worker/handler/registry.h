/* SPDX-License-Identifier: MIT */
/* worker/handler/registry.h: every handler of the process by name. Filled at start, read-only afterwards. */
#pragma once
#include "base/attr.h"
#include "base/err.h"
#include "conf/conf.h"
#include "worker/abi/tasker_worker.h"
#include "worker/handler/parties.h"

struct work_handler {
        const struct tkw_handler *handler;
        const struct tkw_module *module;
};

struct work_registry;
TK_MUST struct work_registry *work_registry_new(void);
struct work_registry *work_registry_free(struct work_registry *registry); /* shared objects stay loaded: threads may be inside */
/* 0, or negative with err naming module, handler and what is wrong; nothing of the module is registered then. */
TK_MUST int work_registry_add(struct work_registry *registry, const struct tkw_module *module, struct tk_err *err);
/* Loads shared objects: a path, or a bare file name that the loader finds beside the program or in its library path. What they bring for
 * domain events goes to the parties. */
TK_MUST int work_registry_load(struct work_registry *registry, struct work_parties *parties, const struct tk_conf_list *files, struct tk_err *err);
const struct work_handler *work_registry_find(const struct work_registry *registry, const char *name, size_t len);
/* Names in order of registration; NULL past the last. */
const char *work_registry_name(const struct work_registry *registry, size_t at);
size_t work_registry_count(const struct work_registry *registry);
