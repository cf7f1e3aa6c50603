/* All that a step may include of the engine. It brings base/ (str, buf, arena, err, digest, time, secret), data/ (value,
 * field, json, xml, regex, expr), model/type.h and the ask and answer structs of host.h; neither struct host nor the store.
 * A step never blocks, sleeps, logs or repeats an attempt: the engine owns time, tries and words. A part shared by steps
 * (an upload) is a struct in their state plus its own step_fn-like function. */
#ifndef RUN_STEP_H
#define RUN_STEP_H

#include "base/digest.h"
#include "base/http_date.h"
#include "base/secret.h"
#include "data/expr.h"
#include "data/json.h"
#include "data/regex.h"
#include "data/xml.h"
#include "host/host.h"
#include "model/type.h"

enum event_kind { EV_START, EV_OP, EV_SAVED, EV_CANCEL };

struct event {
	enum event_kind kind;
	struct now now;
	const struct op *op;                          /* the one that completed; its slot says which */
};

struct step {
	const struct step_type *type;
	const struct value *in;                       /* evaluated and checked, secrets in place (as text with the secret bit) */
	const struct value *was;                      /* preview's `before`, as the first intent recorded it; NULL without preview */
	const struct value *saved;                    /* the last step_save, of this process or an earlier one; NULL: none */
	const struct value *got;                      /* what the provider gave; kept fresh by the engine while the step runs */
	const struct value *limits;                   /* the playbook's, for types that honour accounts and regions */
	const struct value *accept;                   /* the step's accept list, or NULL */
	const struct value *out;
	struct err *err;                              /* with transient and hint; set with FAIL, PARTIAL, DOUBT */
	struct arena *mem;                            /* the attempt's */
	void *state;
	const char *key;                              /* 52 characters, the same for all attempts and hosts */
	const char *path;                             /* of the step */
	const char *run;                              /* id of the run */
	const char *book;                             /* name of the playbook */
	const char *folder;                           /* of the playbook's file, absolute */
	uint32_t attempt;
	int64_t began;                                /* wall us of the first intent; 0: there is none */
	enum effect effect;                           /* the class in force: the type's, by `in`, or the author's `effect:` */
	bool drill;                                   /* texts of notify begin with [drill] */
	const struct addresses *addresses;            /* limits.addresses; step_http and step_connect hand it on */
};

/* Each starts one operation and returns STEP_WAIT. `slot` is free or it is a bug; simple steps use 0. Without `reads` an
 * operation counts as an effect, and the engine refuses it in preview, probe, settle, providers and pure steps: that is why
 * a dry run is one. `tries` > 1: the same bytes may be sent again within the attempt (reads, parts, PUT of the same object),
 * with backoff and Retry-After. The ask is copied; what it points to lives in step->mem. */
/* Looks at the answer of an HTTP operation before the step does, for what can be put right and sent once more: a signature
 * that is out of date. AGAIN: *ask was changed (in op->mem), send it. RENEW: fetch what the provider gave anew, then ask
 * again with `renewed`. Each is done once. */
enum mend { MEND_NO, MEND_AGAIN, MEND_RENEW };
typedef enum mend mend_fn(struct step *step, const struct op *op, struct now now, bool renewed, struct http_ask *ask);

struct how {
	unsigned slot;
	bool reads;
	/* An effect that shows only by a later one of the same attempt: a part of an upload, which its completion makes an
	 * object. Whether it arrived is no doubt about the step. */
	bool staged;
	unsigned tries;
	const char *title;                            /* for the live view: "HEAD s3://bucket/key" */
	int64_t timeout;                              /* ns; 0: what is left of the attempt */
	struct arena *mem;                            /* of the ask's copy and the answer; NULL: step->mem. Many small operations in
							 a row reset one of their own; it outlives the operation */
	mend_fn *mend;                                /* NULL: nothing is mended */
};
enum verdict step_http(struct step *step, struct how how, const struct http_ask *ask);
enum verdict step_exec(struct step *step, struct how how, const struct exec_ask *ask);
enum verdict step_sql(struct step *step, struct how how, const struct sql_ask *ask);
enum verdict step_mail(struct step *step, struct how how, const struct mail_ask *ask);
enum verdict step_dns(struct step *step, struct how how, const struct dns_ask *ask);
enum verdict step_connect(struct step *step, struct how how, const struct connect_ask *ask);
enum verdict step_file(struct step *step, struct how how, const struct file_ask *ask);
enum verdict step_open(struct step *step, struct how how, const struct open_ask *ask);
/* `from` and `to`: the slot of the OPEN, EXEC or HTTP operation that streams. */
enum verdict step_read(struct step *step, unsigned slot, unsigned from, void *into, size_t want, struct digest *digest);
enum verdict step_write(struct step *step, unsigned slot, unsigned to, struct str bytes, bool end);
enum verdict step_sleep(struct step *step, unsigned slot, int64_t ns);
enum verdict step_save(struct step *step, const struct value *value);      /* EV_SAVED when durable */
/* One line from the person at the terminal: `text` says of what. Completes when it was given or when the time is over, and
 * step_said gives it; empty: none came. STEP_FAIL: nobody can be asked here. Only providers ask so. */
enum verdict step_ask(struct step *step, struct how how, const char *text);
struct str step_said(struct step *step);
void step_stop(struct step *step, unsigned slot);                           /* it still completes */
void step_progress(struct step *step, uint64_t done, uint64_t total, const char *unit);   /* for the live view; never recorded */

/* A line for the log and the live view, as a child's standard error is: what a person should know though all goes well. */
void step_say(struct step *step, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A warning of the record, told once a run: what makes it weaker though all goes well. */
void step_note(struct step *step, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Loopback or a socket of this machine: nobody listens in between. A list of hosts is not. */
bool step_is_near(struct str host);

/* FAIL with a message (of step->err); transient as given. For the common end of a step. */
enum verdict step_fail(struct step *step, enum err_code code, bool transient, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* The three answers of a check: DONE: it holds. step_unmet: the other side answered, and it does not hold (FAIL with
 * ERR_ANSWER; "not yet" under `every`; step->out may be set for the report). Any other FAIL: unknown; transient says
 * whether asking again may help. */
enum verdict step_unmet(struct step *step, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* FAIL, PARTIAL (class O: DOUBT comes from the engine by reach) or so for an operation that failed: copies op->err. */
enum verdict step_fail_op(struct step *step, const struct op *op);
enum verdict step_done(struct step *step, struct value out);
const struct secret *step_secret(struct step *step, const struct value *v);   /* text of a secret field as a secret; NULL: absent */
int64_t step_clock(struct step *step, const char *host);                    /* us from our clock to that of the host, as learned in this run */
void step_clock_learn(struct step *step, const char *host, int64_t us);
const char *step_env(struct step *step, const char *name);                   /* of rbx's own environment: credential chains */
bool step_accepts(const struct step *step, struct str code);                 /* whether `accept` lists it */
const char *const *step_child_env(struct step *step, const struct value *env, const struct value *pass_env);  /* the allow-listed environment with RBX_RUN and RBX_KEY, NULL-ended */

#endif
