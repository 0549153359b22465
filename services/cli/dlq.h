/* SPDX-License-Identifier: MIT */
/* cli/dlq.h: how answers about the dead-letter queue look on a terminal. */
#pragma once
#include "cli/verb.h"

void cli_dlq_print_list(const struct cli_verb *verb, const json_t *answer);
void cli_dlq_print_entry(const struct cli_verb *verb, const json_t *answer);
void cli_dlq_print_stats(const struct cli_verb *verb, const json_t *answer);
void cli_dlq_print_queue(const struct cli_verb *verb, const json_t *answer);
void cli_dlq_print_staleness(const struct cli_verb *verb, const json_t *answer);
