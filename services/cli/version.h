/* SPDX-License-Identifier: MIT */
/* cli/version.h: which of the registered versions of a template is meant. Pure. */
#pragma once
#include <jansson.h>

/* "1.10.0" after "1.9.2": parts that are numbers compare as numbers. */
int cli_version_compare(const char *a, const char *b);
/* Of `templates` (the array of GET /v1/templates) the newest entry called `name`, in `ns` when given, and of
 * `version` when given. NULL: none, or (with *ret_other set) the name exists in several namespaces. */
const json_t *cli_version_pick(const json_t *templates, const char *ns, const char *name, const char *version,
                               const json_t **ret_other);
