/* What providers give (model/type.h): credentials, tokens, secrets. One fetch at a time for each provider and key: whoever
 * needs the same waits for it. While somebody holds what was given it is fetched again five minutes before its end; where
 * that fails, what is still valid goes on. Internal to run/. */
#ifndef RUN_PROVIDE_H
#define RUN_PROVIDE_H

#include "run/shell.h"

struct grant;
struct limits;

struct want {
	struct want *next;
	struct grant *grant;                          /* waited for or held; NULL: neither */
	const struct limits *limits;                  /* of who wants it: run/limits.h; set before */
	bool waits;
	/* Called once, perhaps by provide() itself. `got` is kept fresh until provide_drop; err: it could not be had. */
	void (*given)(struct want *want, const struct value *got, const struct err *err);
};

/* `in`: of whoever wants it; the provider takes the members that it knows. */
void provide(struct shell *shell, struct want *want, const struct provider *provider, const struct value *in);
/* The same, waiting for it: before the run has begun. false: err, and `want` is free. */
bool provide_now(struct shell *shell, struct want *want, const struct provider *provider, const struct limits *limits,
	const struct value *in, const struct value **got, struct err *err);
/* What `held` holds is refused though it should be good: it is fetched again, and `renewal` is told when that was tried. */
void provide_again(struct shell *shell, struct want *renewal, const struct want *held);
void provide_drop(struct want *want);                  /* it neither waits for it nor holds it any longer */

/* Renewals, and questions of providers to the person at the terminal: the next moment (boot ns; INT64_MAX: none), and
 * what is due. */
int64_t provide_due(const struct shell *shell);
void provide_tick(struct shell *shell);
void provide_stop(struct shell *shell);                /* ends what is under way, a question too; it still completes */
/* The same, and waits for it: the shell goes. */
void provide_close(struct shell *shell);

#endif
