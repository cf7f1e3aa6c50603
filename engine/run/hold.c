/* Locks that a run holds in a database: an advisory lock on a session that is kept open
 * as long as the run. It goes with the session, so the loss of that stops the run:
 * somebody else may take it and change the same things. */
#include "base/digest.h"
#include "run/limits.h"
#include "run/locks.h"
#include "run/loop.h"
#include "run/step.h"

enum { OPEN_S = 30, READ_S = 3600, MOST_KEYWORDS = 16 };

struct hold {
	struct waiter opened, read;
	struct hold *next;
	struct shell *shell;
	const char *name, *where;
	struct op session, reading;
	struct read_ask from;
	bool done, is_read;
};

/* What would end an idle session is turned off, as far as the server knows it; a client
 * that is gone is to be noticed within 25 s; the lock is tried; and where it is taken,
 * who holds it is told. $1: the key. */
static const char text[] =
	"with settings as materialized (select count(set_config(name, case name"
	" when 'tcp_keepalives_idle' then '10' when 'tcp_keepalives_interval' then '5'"
	" when 'tcp_keepalives_count' then '3' else '0' end, false)) as n"
	" from pg_settings where name in ('tcp_keepalives_idle', 'tcp_keepalives_interval',"
	" 'tcp_keepalives_count', 'idle_session_timeout', 'statement_timeout')),"
	" taken as materialized (select pg_try_advisory_lock($1::bigint) as got)"
	" select t.got, a.application_name, a.usename, host(a.client_addr),"
	" to_char(a.backend_start at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
	" from taken t cross join settings left join lateral"
	" (select s.* from pg_locks l join pg_stat_activity s using (pid)"
	" where l.locktype = 'advisory' and l.granted and l.objsubid = 1"
	" and l.database ="
	" (select oid from pg_database where datname = current_database())"
	" and l.classid::bigint = (($1::bigint >> 32) & 4294967295)"
	" and l.objid::bigint = ($1::bigint & 4294967295)"
	" and l.pid <> pg_backend_pid() limit 1) a on not t.got";

/* The same for the same name, whoever asks. */
static const char *
key_of(struct arena *mem, const char *name)
{
	uint8_t hash[SHA256_SIZE];
	uint64_t key = 0;
	sha256(str_of(arena_printf(mem, "rbx lock %s", name)), hash);
	for (int i = 0; i < 8; i++)
		key = key << 8 | hash[i];
	return arena_printf(mem, "%lld", (long long)key);
}

/* What another run is told of this one; a server cuts it after 63 bytes. */
static const char *
application(struct shell *shell)
{
	const struct self *self = shell->host->type->self(shell->host);
	return arena_printf(shell->mem, "rbx %.*s %s %s@%s", STR_FMT(shell->state.id),
		shell->book->name, self->person != NULL ? self->person : self->user,
		self->host);
}

static const char *
member(struct arena *mem, const struct value *map, const char *name)
{
	struct str found = value_get_str(map, name);
	return found.p == NULL ? NULL : str_cstr(mem, found);
}

/* As in steps: verify-full, but on this machine. */
static const char *
mode_of(struct arena *mem, const struct value *to)
{
	const char *mode = member(mem, to, "sslmode");
	if (mode != NULL)
		return mode;
	return step_is_near(value_get_str(to, "host")) ? "disable" : "verify-full";
}

static const char *
ca_of(struct shell *shell, const struct wanted_lock *lock)
{
	const struct value *to = &lock->to;
	const char *ca = member(shell->mem, to, "ca");
	if (ca == NULL)
		return "/etc/ssl/certs/ca-certificates.crt";
	return ca[0] == '/' ? ca
			    : arena_printf(shell->mem, "%s/%s", lock->book->folder, ca);
}

static bool
connection(struct shell *shell, struct hold *hold, const struct wanted_lock *lock,
	struct sql_ask *ask, struct err *err)
{
	const struct value *to = &lock->to;
	struct arena *mem = shell->mem;
	const char **keywords = arena_array(mem, const char *, MOST_KEYWORDS);
	const char **values = arena_array(mem, const char *, MOST_KEYWORDS);
	long long port = value_get_int(to, "port", 5432);
	const char *mode = mode_of(mem, to), *host = member(mem, to, "host");
	const struct { const char *keyword, *value;
	} all[] = {
		{"host", host},
		{"port", arena_printf(mem, "%lld", port)},
		{"dbname", member(mem, to, "db")},
		{"user", member(mem, to, "user")},
		{"sslmode", mode},
		{"sslrootcert",
			strncmp(mode, "verify", 6) == 0 ? ca_of(shell, lock) : NULL},
		{"application_name", application(shell)},
		{"keepalives_idle", "10"},
		{"keepalives_interval", "5"},
		{"keepalives_count", "3"},
		{"tcp_user_timeout", "25000"},
	};
	size_t n = 0;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (all[i].value != NULL) {
			keywords[n] = all[i].keyword;
			values[n++] = all[i].value;
		}
	hold->where = arena_printf(mem, "%s at %s:%lld", all[2].value,
		host == NULL || host[0] == '\0' ? "the local socket" : host, port);
	if (strcmp(mode, "verify-full") != 0 && !step_is_near(str_of(host)))
		shell_note(shell, "warning",
			arena_printf(mem,
				"the lock of %s: sslmode %s is weaker than verify-full",
				hold->where, mode),
			NULL);
	*ask = (struct sql_ask){.keywords = keywords, .values = values, .text = text,
		.n_params = 1, .keep = true,
		.addresses = limits_of(shell, lock->book)->addresses};
	struct str password = value_get_str(to, "password");
	return password.p == NULL
		|| vault_add(shell->vault, password, &ask->password, err);
}

/* ---- the session */

static void
has_opened(struct waiter *waiter, struct op *op)
{
	(void)op;
	((struct hold *)waiter)->done = true;
}

static void read_on(struct hold *hold);

static void
has_read(struct waiter *waiter, struct op *op)
{
	struct hold *hold = (struct hold *)((char *)waiter - offsetof(struct hold, read));
	hold->is_read = false;
	if (hold->shell->leaving)
		return;
	if (op->err.code == ERR_TIMEOUT) {
		read_on(hold);
		return;
	}
	shell_unlock(hold->shell,
		arena_printf(hold->shell->mem, "the lock %s in %s was lost: %s",
			hold->name, hold->where, op->err.msg));
}

/* Nothing comes but the end of the session. */
static void
read_on(struct hold *hold)
{
	struct host *host = hold->shell->host;
	hold->read.done = has_read;
	hold->from.from = &hold->session;
	hold->is_read = true;
	hold->reading = (struct op){.kind = OP_READ, .ask = &hold->from,
		.mem = hold->shell->mem, .owner = &hold->read,
		.deadline = shell_now(hold->shell).boot + READ_S * NS_S};
	host->type->start(host, &hold->reading);
}

static bool
held_by(const struct hold *hold, const struct sql_answer *answer, struct err *err)
{
	const struct sql_row *row = &answer->rows[0];
	err_set(err, ERR_BUSY, "the lock %s in %s is held", hold->name, hold->where);
	if (!row->nulls[1])
		err_set(err, ERR_BUSY,
			"the lock %s in %s is held by %.*s (user %.*s%s%.*s)%s%.*s",
			hold->name, hold->where, STR_FMT(row->cells[1]),
			STR_FMT(row->cells[2]), row->nulls[3] ? "" : ", from ",
			STR_FMT(row->cells[3]), row->nulls[4] ? "" : ", since ",
			STR_FMT(row->cells[4]));
	return false;
}

static bool
judge(struct hold *hold, struct err *err)
{
	const struct sql_answer *answer = hold->session.answer;
	if (hold->session.err.code != ERR_NONE) {
		*err = hold->session.err;
		return err_wrap(err, "the lock %s", hold->name);
	}
	if (answer->message != NULL || answer->n_rows != 1 || answer->n_cols != 5)
		return err_set(err, ERR_ANSWER, "the lock %s in %s cannot be taken: %s",
			hold->name, hold->where,
			answer->message == NULL ? "an odd answer" : answer->message);
	if (!str_is(answer->rows[0].cells[0], "t"))
		return held_by(hold, answer, err);
	return true;
}

static bool
take(struct shell *shell, const struct wanted_lock *lock, struct err *err)
{
	struct hold *hold = arena_new_of(shell->mem, struct hold);
	struct sql_ask *ask = arena_new_of(shell->mem, struct sql_ask);
	*hold = (struct hold){
		.shell = shell, .opened.done = has_opened, .name = lock->name};
	if (!connection(shell, hold, lock, ask, err))
		return false;
	const char **params = arena_array(shell->mem, const char *, 1);
	params[0] = key_of(shell->mem, hold->name);
	ask->params = params;
	hold->session = (struct op){.kind = OP_SQL, .ask = ask, .mem = shell->mem,
		.owner = &hold->opened,
		.deadline = shell_now(shell).boot + OPEN_S * NS_S};
	hold->next = shell->holds;
	shell->holds = hold;
	shell->host->type->start(shell->host, &hold->session);
	shell_wait(shell, &hold->done);
	return judge(hold, err);
}

bool
holds_take(struct shell *shell, struct err *err)
{
	const struct wanted_lock *wanted;
	size_t n;
	bool good = locks_wanted(shell, true, &wanted, &n, err);
	for (size_t i = 0; good && i < n; i++)
		good = take(shell, &wanted[i], err);
	if (!good) {
		holds_drop(shell);
		return false;
	}
	for (struct hold *hold = shell->holds; hold != NULL; hold = hold->next)
		read_on(hold);
	return true;
}

void
holds_drop(struct shell *shell)
{
	struct host *host = shell->host;
	for (struct hold *hold = shell->holds; hold != NULL; hold = hold->next) {
		if (hold->is_read)
			host->type->cancel(host, &hold->reading);
		while (hold->is_read) {
			int number;
			struct op *op = host->type->wait(host, INT64_MAX, &number);
			if (op != NULL)
				((struct waiter *)op->owner)->done(op->owner, op);
		}
		if (hold->session.handle != NULL)
			host->type->cancel(host, &hold->session);
	}
	shell->holds = NULL;
}
