#include "host/sql_settings.h"

#include <assert.h>
#include <string.h>

const char *
setting(const struct sql_settings *settings, const char *name)
{
	for (size_t i = 0; i < settings->n; i++)
		if (strcmp(settings->names[i], name) == 0)
			return settings->values[i];
	return NULL;
}

void
setting_put(struct sql_settings *settings, const char *name, const char *value)
{
	if (setting(settings, name) != NULL)
		return;
	assert(settings->n < MOST_SETTINGS);
	settings->names[settings->n] = name;
	settings->values[settings->n++] = value;
}

void
setting_replace(struct sql_settings *settings, const char *name, const char *value)
{
	for (size_t i = 0; i < settings->n; i++)
		if (strcmp(settings->names[i], name) == 0)
			settings->values[i] = value;
}

bool
settings_make(struct sql_settings *settings, const struct sql_ask *ask, const char *ca,
	struct err *err)
{
	for (size_t i = 0; ask->keywords[i] != NULL; i++) {
		if (settings->n + 8 > MOST_SETTINGS)
			return err_set(err, ERR_LIMIT,
				"too many settings of a connection");
		setting_put(settings, ask->keywords[i], ask->values[i]);
	}
	const char *mode = setting(settings, "sslmode");
	if (mode != NULL && strncmp(mode, "verify-", 7) == 0 && ca != NULL)
		setting_put(settings, "sslrootcert", ca);
	setting_put(settings, "fallback_application_name", "rbx");
	setting_put(settings, "client_encoding", "UTF8");
	/* it would look for tickets, and block */
	setting_put(settings, "gssencmode", "disable");
	return true;
}

static enum err_code
code_of(const char *text)
{
	if (strstr(text, "password authentication failed") || strstr(text, "pg_hba.conf")
		|| strstr(text, "no password"))
		return ERR_DENIED;
	if (strstr(text, "SSL") || strstr(text, "certificate"))
		return ERR_TLS;
	return strstr(text, "FATAL") ? ERR_ANSWER : ERR_CONNECT;
}

void
sql_refusal(const char *text, const char *where, struct err *err)
{
	static const char *const passing[] = {
		"starting up",
		"shutting down",
		"recovery mode",
		"too many clients",
		"connection slots",
	};
	err_set(err, ERR_CONNECT, "connect to %s: %s", where, text);
	err->code = code_of(text);
	err->transient = err->code == ERR_CONNECT;
	if (strstr(text, "certificate verify failed") != NULL)
		err_hint(err, "name the authority's certificate in `ca`");
	for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
		err->transient |= strstr(text, passing[i]) != NULL;
}
