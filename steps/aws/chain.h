/* The chain of sources that AWS credentials come from, as its files share it. A source is
 * a small machine: it is called with its stage at 0 first, then once for each operation
 * that it started has completed. */
#ifndef STEPS_AWS_CHAIN_H
#define STEPS_AWS_CHAIN_H

#include "../steps/aws/aws.h"

enum { CHAIN_ROLES = 8, CHAIN_FILE_MOST = 1 << 20 };

enum found {
	FOUND_LATER, /* an operation is under way */
	FOUND_KEYS, /* chain->keys and chain->source are set */
	FOUND_NOTHING, /* the next one is asked; chain->why says why, NULL: no word of it
			*/
	FOUND_END, /* it should have served: no other one is asked; chain->why is set */
	FOUND_WRONG, /* step->err is set */
};

struct keys {
	struct str id, secret, token;
	int64_t valid_until;                          /* us; 0: for ever */
};

/* One to be assumed. Empty members: not said. */
struct role {
	struct str arn, external_id, session, serial, seconds;
	const char *profile; /* that names it; NULL: the step does */
};

enum chain_state {
	CHAIN_START,
	CHAIN_CREDENTIALS_FILE,
	CHAIN_CONFIG_FILE,
	CHAIN_SEARCH,
	CHAIN_CODE,
	CHAIN_ASSUME,
	CHAIN_IDENTITY,
	CHAIN_OVER,
};

struct chain {
	enum chain_state state;
	size_t at;                                    /* the source that is asked */
	unsigned stage, tries;                        /* of that source */
	struct buf tried; /* why each source so far did not serve */
	const char *why, *hint;                       /* of the last one */
	bool transient; /* the last one may serve in a moment */

	struct str credentials, config;               /* texts of the two files */
	const char *profile;
	bool is_chosen; /* the step names the profile */
	bool is_bound;  /* nothing outside of the profile may serve */
	bool is_absent; /* the profile stands in neither file */
	const char *only; /* the one source that a profile's credential_source names */

	struct keys keys;
	const char *source;                           /* of the keys, for people */
	struct role roles[CHAIN_ROLES];               /* the last one is assumed first */
	size_t n_roles;
	unsigned codes; /* asked of a person for the role that is assumed */
	struct str role_now, secret_now;
	/* of the environment and the profile; of STS, where whoever asks first wants it
	 */
	const char *region, *sts_region;
	const char *account, *arn;
};

typedef enum found source_fn(struct step *step, const struct event *event);

source_fn source_environment;                         /* environment.c */
source_fn source_roles, source_profile;               /* profile.c */
source_fn source_web_identity;                        /* sts.c */
source_fn source_sso;                                 /* sso.c */
source_fn source_process;                             /* process.c */
source_fn source_container, source_instance;          /* metadata.c */

/* ---- for the sources */

enum found chain_nothing(struct step *step, const char *why);
enum found chain_end(struct step *step, const char *why);
/* The operation of the event failed, or its answer was not what was hoped for. */
enum found chain_end_op(struct step *step, const struct event *event, const char *why);
enum found chain_found(struct step *step, const char *source);

struct str chain_env(struct step *step, const char *name);
bool chain_env_keys(struct step *step);

/* A file, whole; on completion its bytes, empty where it cannot be read. */
enum found chain_load(struct step *step, const char *path);
struct str chain_loaded(const struct event *event);

/* A page without a signature; on completion the answer, NULL where it failed. */
enum found chain_get(struct step *step, int64_t timeout, const struct http_ask *ask);
const struct http_answer *chain_page(const struct event *event);

/* {AccessKeyId, SecretAccessKey, Token or SessionToken, Expiration} */
bool chain_read_keys(struct step *step, struct str json);

/* ---- STS, sts.c. Each starts a request. */

/* The last role that is left. `code` empty: none is wanted. */
enum verdict sts_assume(struct step *step, const struct event *event, struct str code);
/* `must`: nothing can go on without it; else it may take a few seconds, not more. */
enum verdict sts_ask_identity(
	struct step *step, const struct event *event, bool must);
/* What came of it: false with step->err. The role is taken from those that are left. */
bool sts_assumed(struct step *step, const struct event *event);
bool sts_identity(struct step *step, const struct event *event);

/* ---- MFA, mfa.c */

#define MFA_VARIABLE "RBX_MFA_CODE"

enum verdict mfa_ask(
	struct step *step, const struct event *event, const struct role *role);
enum verdict mfa_answered(
	struct step *step, const struct event *event, const struct role *role);
/* After sts_assumed has said no: it was the code, and there may be a better one. */
bool mfa_may_ask_again(const struct step *step);

#endif
