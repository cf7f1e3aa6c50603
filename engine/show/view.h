/* Who watches a run for people or programs: plain lines, a live view on a terminal, JSON
 * lines. Each is an observer; what it was opened with lives as long as it does. */
#ifndef SHOW_VIEW_H
#define SHOW_VIEW_H

#include "run/run.h"
#include "show/style.h"

/* One line a thing that happened, on standard output. */
struct observer *plain_view(struct arena *mem, struct style style);

/* The same lines scroll by; below them the steps that run, progress of long work, the
 * tail of output, what is waited for, the countdown to the RTO and the rest by a former
 * run (NULL: there is none); questions are asked and answered here. Standard input and
 * output are the terminal. */
struct observer *live_view_new(
	struct arena *mem, struct style style, const struct run_state *former);
void live_view_close(
	struct observer *observer); /* the region is wiped, the terminal as it was */

/* One object a record: {seq, at, kind, path, attempt, …body}. */
struct observer *json_view(struct arena *mem);

#endif
