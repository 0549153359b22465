/* SPDX-License-Identifier: MIT */
/* cli/steps.h: what the REST API says about a task and its steps, as the terminal shows it. Pure: JSON in,
 * models and text out. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "cli/draw.h"
#include "cli/term.h"
#include <jansson.h>
#include <stdint.h>

struct cli_steps {
        struct cli_draw_step *items;
        unsigned n;
};
/* From the array of …/workflow_steps; what is missing in it is left out. now_wall_ns: for steps that run. */
void cli_steps_read(const json_t *array, int64_t now_wall_ns, struct tk_arena *arena, struct cli_steps *ret);
void cli_steps_print(const json_t *array, const struct cli_term *term, int64_t now_wall_ns,
                     struct tk_arena *arena, struct tk_buf *out);
/* One line per failed step: its name and what its handler said. */
void cli_steps_print_failures(const json_t *array, const struct cli_term *term, struct tk_buf *out);

bool cli_task_rests(const char *status);
bool cli_task_succeeded(const char *status);
/* "✔ linear_workflow 0198…: complete, 4 of 4 steps, 12 ms" and a newline. */
void cli_task_print_line(const json_t *task, const struct cli_term *term, int64_t now_wall_ns,
                         struct tk_buf *out);
void cli_task_print(const json_t *task, const struct cli_term *term, int64_t now_wall_ns, struct tk_buf *out);
/* Milliseconds from creation to the end, or to now; negative when not known. */
double cli_task_ms(const json_t *task, int64_t now_wall_ns);
