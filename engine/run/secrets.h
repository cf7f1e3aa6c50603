/* The secrets of a run: fetched when it starts, once for each source, and again where a
 * command's answer has grown too old. Internal to run/. */
#ifndef RUN_SECRETS_H
#define RUN_SECRETS_H

#include "run/shell.h"

enum { SECRET_TIMEOUT_S = 60 };                        /* of one fetch */

/* Every secret of the playbook and of those that it calls. false: err, the first that is
 * missing. */
bool secrets_fetch(struct shell *shell, struct err *err);

/* Somebody who is about to read secrets. */
struct secret_want {
	struct secret_want *next;
	const struct playbook *book;
	const struct template *reader;
	const struct fetched *waits; /* for its renewal; NULL: for none */
	/* Called once where secrets_renew gave false. err: one could not be fetched. */
	void (*fresh)(struct secret_want *want, const struct err *err);
};

/* Whether all secrets that `reader`, a text of `book`, reads are young enough. false:
 * those that are not are being fetched, and want->fresh will be called. */
bool secrets_renew(struct shell *shell, struct secret_want *want,
	const struct playbook *book, const struct template *reader);
void secrets_drop(struct shell *shell, struct secret_want *want); /* it waits no longer */
/* Ends what is under way, and waits for that: the shell goes. */
void secrets_close(struct shell *shell);

/* secrets.c, for renew.c: the operation that asks a command, in mem; what it printed; and
 * all secrets of one source, taken from what that gave. */
bool secret_command(struct shell *shell, const struct fetched *it, struct arena *mem,
	struct op *op, struct err *err);
bool secret_printed(const struct op *op, struct str *out, struct err *err);
bool secrets_take(struct shell *shell, const struct fetched *source, struct str text,
	int64_t at, struct err *err);
bool secret_is_same(const struct fetched *a, const struct fetched *b);
bool
secret_wrong(const struct fetched *it, struct err *err); /* which one, and its place */

#endif
