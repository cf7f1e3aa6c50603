/* What the answer of a step means (language.md, "The life of a step", 6): the type's verdict, then fail_if, until and
 * assert, then outputs and measures, scrubbed of all that is secret. */
#ifndef RUN_JUDGE_H
#define RUN_JUDGE_H

#include "run/scope.h"

struct judged {
	struct scope *scope;
	const struct node *node;
	bool is_check;                                /* else a change: an assert that fails fails the step */
	enum verdict verdict;
	const struct value *self;                     /* NULL: the type gave nothing */
	struct err *err;                              /* set with every verdict but DONE and ABSENT; here too */
};

void judge(struct judged *judged, struct result *result);
/* An author's probe: whether `done` holds of its answer. */
void judge_probe(struct judged *judged, const struct node *step, struct result *result);
/* Before and after, as a preview gave them. */
void judge_look(struct judged *judged, struct result *result);
/* What may be recorded of a value: known secrets masked, nothing that JSON has no word for. */
struct value scrubbed(const struct vault *vault, struct arena *mem, const struct value *v);

#endif
