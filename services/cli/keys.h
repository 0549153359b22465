/* SPDX-License-Identifier: MIT */
/* cli/keys.h: single keys from the terminal, without Enter. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Standard input gives keys at once until cli_keys_end, which atexit calls too. False: it is not a terminal, then keys never come. */
bool cli_keys_begin(void);
void cli_keys_end(void);
/* The next key, or 0 when the monotonic deadline passed. */
char cli_keys_next(int64_t deadline_ns);
