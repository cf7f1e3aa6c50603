#include "store/local.h"

#include "data/json.h"

/* The line of one run: from its first record, its last, and its lock. */
static struct value
parse_body(struct arena *mem, struct str body)
{
	struct err err;
	struct value v;
	return json_parse(mem, str_copy(mem, body), NULL, &v, &err) ? v : value_null();
}

static const char *
text_of(struct arena *mem, const struct value *body, const char *key)
{
	return str_cstr(mem, value_get_str(body, key));
}

static const char *
playbook_of(struct arena *mem, const struct value *body)
{
	const char *name = text_of(mem, body, "name");
	return name[0] != '\0' ? name : text_of(mem, body, "file");
}

static void
read_first(struct store *store, struct run_line *line, struct arena *mem)
{
	sqlite3_stmt *first = db_query(&store->db, Q_FIRST);
	line->playbook = line->mode = line->of = "";
	if (first == NULL)
		return;
	db_bind(first, 1, str_of(line->run));
	if (sqlite3_step(first) == SQLITE_ROW) {
		struct value body = parse_body(mem, db_column(first, 1));
		line->started = sqlite3_column_int64(first, 0);
		line->playbook = playbook_of(mem, &body);
		line->mode = text_of(mem, &body, "mode");
		line->of = text_of(mem, &body, "of");
	}
	sqlite3_reset(first);
}

static void
read_last(struct store *store, struct run_line *line, struct arena *mem)
{
	sqlite3_stmt *last = db_query(&store->db, Q_LAST);
	line->state = line->alive ? "running" : "interrupted";
	if (last == NULL)
		return;
	db_bind(last, 1, str_of(line->run));
	if (sqlite3_step(last) == SQLITE_ROW) {
		line->records = (uint64_t)sqlite3_column_int64(last, 0);
		if (str_is(db_column(last, 2), kind_word(REC_END))) {
			struct value body = parse_body(mem, db_column(last, 3));
			line->ended = sqlite3_column_int64(last, 1);
			line->state = text_of(mem, &body, "state");
		}
	}
	sqlite3_reset(last);
}

static struct run_line
read_line(struct store *store, const char *run, struct arena *mem)
{
	const struct holder *holder = holder_of(store, run, mem);
	struct run_line line = {.run = run, .alive = holder->alive};
	line.owner = !line.alive ? ""
				 : arena_printf(mem, "%s@%s pid %u", holder->user,
					   holder->host, holder->pid);
	read_first(store, &line, mem);
	read_last(store, &line, mem);
	return line;
}

const char *
run_playbook(struct store *store, const char *run, struct arena *mem)
{
	struct run_line line = {.run = run};
	read_first(store, &line, mem);
	return line.playbook;
}

bool
run_ended(struct store *store, const char *run)
{
	bool ended = false;
	sqlite3_stmt *last = db_query(&store->db, Q_LAST);
	if (last == NULL)
		return false;
	db_bind(last, 1, str_of(run));
	if (sqlite3_step(last) == SQLITE_ROW)
		ended = str_is(db_column(last, 2), kind_word(REC_END));
	sqlite3_reset(last);
	return ended;
}

static bool
no_run(struct store *store, struct str text, struct err *err)
{
	err_set(err, ERR_NOT_FOUND, "no run '%.*s' in %s",
		(int)(text.n > 64 ? 64 : text.n), text.p, store->where);
	return err_hint(err, "`rbx list` shows the runs of this store.");
}

bool
run_count(struct store *store, const char *run, uint64_t *records, struct err *err)
{
	sqlite3_stmt *has = db_query(&store->db, Q_RECORD_COUNT);
	if (has == NULL)
		return db_fail(&store->db, err, store->where);
	db_bind(has, 1, str_of(run));
	int result = sqlite3_step(has);
	if (result == SQLITE_DONE)
		no_run(store, str_of(run), err);
	else if (result != SQLITE_ROW)
		db_fail(&store->db, err, store->where);
	else
		*records = (uint64_t)sqlite3_column_int64(has, 0);
	sqlite3_reset(has);
	return result == SQLITE_ROW;
}

struct names {
	struct arena *mem;
	const char **names;
	size_t n, room;
};

static void
push(struct names *names, struct str name)
{
	if (names->n == names->room) {
		names->room = names->room == 0 ? 16 : names->room * 2;
		const char **more = arena_array(names->mem, const char *, names->room);
		if (names->n > 0)
			memcpy(more, names->names, names->n * sizeof *more);
		names->names = more;
	}
	names->names[names->n++] = str_cstr(names->mem, name);
}

static bool
read_names(struct store *store, sqlite3_stmt *rows, struct names *names, struct err *err)
{
	int result = SQLITE_ERROR;
	while (rows != NULL && (result = sqlite3_step(rows)) == SQLITE_ROW)
		push(names, db_column(rows, 0));
	bool ok = result == SQLITE_DONE || db_fail(&store->db, err, store->where);
	sqlite3_reset(rows);
	return ok;
}

bool
store_list(struct store *store, struct arena *mem, const struct run_line **out, size_t *n,
	struct err *err)
{
	struct names names = {.mem = mem};
	pthread_mutex_lock(&store->busy);
	bool ok = read_names(store, db_query(&store->db, Q_RUNS), &names, err);
	struct run_line *lines = arena_array(mem, struct run_line, names.n + 1);
	for (size_t i = 0; ok && i < names.n; i++)
		lines[i] = read_line(store, names.names[i], mem);
	pthread_mutex_unlock(&store->busy);
	*out = lines;
	*n = names.n;
	return ok;
}

static bool
pick(struct store *store, struct str text, const struct names *found, const char **run,
	struct err *err)
{
	if (found->n == 0)
		return no_run(store, text, err);
	*run = found->names[0];
	if (found->n == 1 || str_is(text, found->names[0]))
		return true;
	return err_set(err, ERR_VALUE,
		"'%.*s' is the beginning of several runs: %s, %s%s", STR_FMT(text),
		found->names[0], found->names[1], found->n > 2 ? ", …" : "");
}

bool
store_find(struct store *store, struct str text, struct arena *mem, const char **run,
	struct err *err)
{
	struct names found = {.mem = mem};
	bool newest = str_is(text, "last");
	if (!run_id_fits(str_cstr(mem, text)) || memchr(text.p, 0, text.n) != NULL) {
		err_set(err, ERR_VALUE, "this is no run id");
		return err_hint(
			err, "An id has 1 to 64 of the characters A-Z a-z 0-9 . _ -");
	}
	pthread_mutex_lock(&store->busy);
	sqlite3_stmt *rows = db_query(&store->db, newest ? Q_NEWEST : Q_RUNS_LIKE);
	if (rows != NULL && !newest)
		db_bind(rows, 1, text);
	bool ok = read_names(store, rows, &found, err);
	pthread_mutex_unlock(&store->busy);
	if (ok && newest && found.n == 0)
		return err_set(
			err, ERR_NOT_FOUND, "there is no run in %s yet", store->where);
	return ok
		&& (newest ? (*run = found.names[0]) != NULL
			   : pick(store, text, &found, run, err));
}

bool
store_alive(struct store *store, const char *run, struct arena *mem,
	const struct holder **holder)
{
	pthread_mutex_lock(&store->busy);
	*holder = run_id_fits(run) ? holder_of(store, run, mem) : NULL;
	pthread_mutex_unlock(&store->busy);
	return *holder != NULL && (*holder)->alive;
}
