/* SPDX-License-Identifier: MIT */
/* run/signal.h: signals as values. tk_signal_block in main before any thread starts; then main waits.
 * SIGPIPE is ignored. */
#pragma once
#include <stdint.h>

enum tk_signal { TK_SIGNAL_NONE, TK_SIGNAL_TERM, TK_SIGNAL_HUP, TK_SIGNAL_USR1, TK_SIGNAL_CHLD };
void tk_signal_block(void);
/* TERM stands for SIGTERM and SIGINT. NONE when the monotonic deadline passed. */
enum tk_signal tk_signal_wait(int64_t deadline_ns);
/* As if the signal had come from outside: how a thread that cannot go on asks main to stop. */
void tk_signal_raise(enum tk_signal meaning);
/* In a forked child before exec: default dispositions, nothing blocked. */
void tk_signal_unblock_child(void);
/* From then on a TERM ends the process at once with _exit(code): the second TERM of a stopping service. */
void tk_signal_exit_on_next_term(int code);
