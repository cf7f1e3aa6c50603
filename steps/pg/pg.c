#include "../steps/pg/pg.h"

enum {
	OID_BOOL = 16,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_OID = 26,
	OID_JSON = 114,
	OID_FLOAT4 = 700,
	OID_FLOAT8 = 701,
	OID_TIMESTAMPTZ = 1184,
	OID_JSONB = 3802,
	KEEP = 65536,
	MOST_KEYWORDS = 12
};

static const char system_ca[] = "/etc/ssl/certs/ca-certificates.crt";

struct connection { const char *host, *port, *db, *user, *sslmode, *ca; };

static struct connection
connection_of(struct step *step, const char *database)
{
	struct str host = value_get_str(step->in, "host"),
		   ca = value_get_str(step->in, "ca");
	struct str mode = value_get_str(step->in, "sslmode");
	struct connection c = {
		.host = str_cstr(step->mem, host),
		.port = arena_printf(step->mem, "%lld",
			(long long)value_get_int(step->in, "port", 5432)),
		.db = database != NULL
			? database
			: str_cstr(step->mem, value_get_str(step->in, "db")),
		.user = str_cstr(step->mem, value_get_str(step->in, "user")),
		.sslmode = mode.n > 0   ? str_cstr(step->mem, mode)
			: step_is_near(host) ? "disable"
					: "verify-full",
	};
	if (mode.n > 0 && !str_is(mode, "verify-full") && !step_is_near(host))
		step_note(step, "sslmode %.*s to %s is weaker than verify-full",
			STR_FMT(mode), c.host);
	if (strncmp(c.sslmode, "verify", 6) == 0)
		c.ca = ca.n > 0 ? str_cstr(step->mem, ca) : system_ca;
	return c;
}

struct sql_ask
pg_ask(struct step *step, const char *database, const char *text)
{
	struct connection c = connection_of(step, database);
	const char **keywords = arena_array(step->mem, const char *, MOST_KEYWORDS);
	const char **values = arena_array(step->mem, const char *, MOST_KEYWORDS);
	const struct { const char *keyword, *value;
	} all[] = {
		{"host", c.host},
		{"port", c.port},
		{"dbname", c.db},
		{"user", c.user},
		{"sslmode", c.sslmode},
		{"sslrootcert", c.ca},
		{"application_name", "rbx"},
		{"connect_timeout", "20"},
	};
	size_t n = 0;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (all[i].value != NULL) {
			keywords[n] = all[i].keyword;
			values[n++] = all[i].value;
		}
	return (struct sql_ask){.keywords = keywords, .values = values, .text = text,
		.password = step_secret(step, value_get(step->in, "password"))};
}

/* One line of a password file (libpq, "The Password File"): every database of this run's
 * child, ':' and '\' escaped. */
static const struct exec_file *
password_file(struct step *step, size_t *n)
{
	const struct secret *password =
		step_secret(step, value_get(step->in, "password"));
	*n = 0;
	if (password == NULL)
		return NULL;
	struct buf line = buf_in(step->mem);
	struct str text = secret_reveal(password);
	buf_puts(&line, "*:*:*:*:");
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == ':' || text.p[i] == '\\')
			buf_putc(&line, '\\');
		buf_putc(&line, text.p[i]);
	}
	buf_putc(&line, '\n');
	struct exec_file *file = arena_new_of(step->mem, struct exec_file);
	*file = (struct exec_file){.variable = "PGPASSFILE", .text = buf_str(&line)};
	*n = 1;
	return file;
}

static const char *const *
tool_env(struct step *step, const struct connection *c)
{
	const char *const *base = step_child_env(step, NULL, NULL);
	size_t n = 0;
	while (base[n] != NULL)
		n++;
	const char **env = arena_array(step->mem, const char *, n + 10);
	memcpy(env, base, n * sizeof *env);
	const struct { const char *name, *value;
	} all[] = {
		{"PGHOST", c->host},
		{"PGPORT", c->port},
		{"PGDATABASE", c->db},
		{"PGUSER", c->user},
		{"PGSSLMODE", c->sslmode},
		{"PGSSLROOTCERT", c->ca},
		{"PGAPPNAME", "rbx"},
		{"PGCONNECT_TIMEOUT", "20"},
	};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (all[i].value != NULL)
			env[n++] = arena_printf(
				step->mem, "%s=%s", all[i].name, all[i].value);
	return env;
}

struct exec_ask
pg_tool(struct step *step, const char *database, const char *const *argv)
{
	struct connection c = connection_of(step, database);
	struct exec_ask ask = {
		.argv = argv, .env = tool_env(step, &c), .keep = KEEP, .keep_log = true};
	ask.files = password_file(step, &ask.n_files);
	return ask;
}

const char *const *
pg_params(struct arena *mem, const struct value *params, size_t *n)
{
	*n = params == NULL || params->kind != V_LIST ? 0 : params->list.n;
	const char **texts = arena_array(mem, const char *, *n + 1);
	for (size_t i = 0; i < *n; i++) {
		const struct value *v = &params->list.items[i];
		texts[i] = v->kind == V_NULL  ? NULL
			: v->kind == V_STRING ? str_cstr(mem, v->str)
					      : json_text(mem, v, JSON_COMPACT);
	}
	return texts;
}

/* "2026-01-19 13:00:00.5+00" in libpq's ISO style to RFC 3339. */
static bool
read_time(struct str text, struct span *out)
{
	char iso[64];
	struct err ignored;
	if (text.n < 20 || text.n > sizeof iso - 8)
		return false;
	memcpy(iso, text.p, text.n);
	iso[10] = 'T';
	size_t n = text.n;
	if (iso[n - 3] == '+' || iso[n - 3] == '-') {
		memcpy(iso + n, ":00", 3);
		n += 3;
	}
	return time_parse((struct str){iso, n}, out, &ignored);
}

static struct value
cell_value(struct arena *mem, struct str text, uint32_t type)
{
	struct value v;
	struct err ignored;
	struct span time;
	int64_t i;
	switch (type) {
	case OID_BOOL:
		return value_bool(str_is(text, "t"));
	case OID_INT2: case OID_INT4: case OID_INT8: case OID_OID:
		return str_int(text, &i) ? value_int(i) : value_str(text);
	case OID_FLOAT4: case OID_FLOAT8:
		if (json_parse(mem, text, NULL, &v, &ignored) && v.kind == V_INT)
			return value_double((double)v.i);
		return json_parse(mem, text, NULL, &v, &ignored) && v.kind == V_DOUBLE
			? v
			: value_str(text);
	case OID_JSON: case OID_JSONB:
		return json_parse(mem, text, NULL, &v, &ignored) ? v : value_str(text);
	case OID_TIMESTAMPTZ:
		return read_time(text, &time) ? value_str(str_of(time_text(mem, time)))
					      : value_str(text);
	default:
		return value_str(text);
	}
}

struct value
pg_rows(struct arena *mem, const struct sql_answer *answer)
{
	struct value *rows = arena_array(mem, struct value, answer->n_rows + 1);
	for (size_t i = 0; i < answer->n_rows; i++) {
		struct map_builder row = {.mem = mem};
		for (size_t j = 0; j < answer->n_cols; j++) {
			bool null = answer->rows[i].nulls[j];
			map_put(&row, answer->names[j],
				null ? value_null()
				     : cell_value(mem, answer->rows[i].cells[j],
					       answer->types[j]));
		}
		rows[i] = map_done(&row);
	}
	return value_list(rows, answer->n_rows);
}

struct value
pg_result(struct arena *mem, const struct sql_answer *answer)
{
	struct map_builder result = {.mem = mem};
	int64_t count = answer->n_cols > 0 ? (int64_t)answer->n_rows : answer->affected;
	map_put(&result, "rows", pg_rows(mem, answer));
	map_put(&result, "count", value_int(count));
	map_put(&result, "code", value_str(str_of(answer->sqlstate)));
	return map_done(&result);
}

bool
pg_is_transient(const char *sqlstate)
{
	static const char *const beginnings[] = {
		"08", "40", "53", "57P", "55006", "55P03"};
	if (strcmp(sqlstate, "08P01") == 0) /* what was sent is wrong */
		return false;
	for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++)
		if (strncmp(sqlstate, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	return false;
}

/* A tool's error and the detail on the line below it stand in one text. */
static bool
is_detail(struct str last, struct str line, size_t *at)
{
	*at = str_find(line, STR("detail: "));
	return last.n > 0 && *at < line.n;
}

struct str
pg_tool_error(struct arena *mem, struct str text)
{
	struct str last = {NULL, 0};
	while (text.n > 0) {
		struct str line = str_trim(str_cut(text, '\n', &text));
		size_t at = str_find(line, STR("error: ")),
		       server = str_find(line, STR("ERROR:  "));
		if (at < line.n)
			last = str_from(line, at + strlen("error: "));
		else if (server < line.n)
			last = line;
		else if (is_detail(last, line, &at))
			last = str_of(arena_printf(mem, "%.*s (%.*s)", STR_FMT(last),
				STR_FMT(str_from(line, at + strlen("detail: ")))));
		else if (last.n == 0 && line.n > 0)
			last = line;
	}
	if (last.n > 300)
		last.n = 300;
	return last;
}

bool
pg_name_is_good(struct str name)
{
	return name.n > 0 && name.n < 64 && memchr(name.p, '\0', name.n) == NULL;
}

char *
pg_quote(struct arena *mem, struct str name)
{
	struct buf out = buf_in(mem);
	buf_putc(&out, '"');
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '"')
			buf_putc(&out, '"');
		buf_putc(&out, name.p[i]);
	}
	buf_putc(&out, '"');
	return out.p;
}
