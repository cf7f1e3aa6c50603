/* How a connection begins: its settings by the keywords of libpq, and what it means that
 * the server refused it. Internal to host/. */
#ifndef HOST_SQL_SETTINGS_H
#define HOST_SQL_SETTINGS_H

#include "host/host.h"

enum { MOST_SETTINGS = 48 };

/* Both lists are NULL-ended; the texts are the caller's. */
struct sql_settings {
	const char *names[MOST_SETTINGS + 1], *values[MOST_SETTINGS + 1];
	size_t n;
};

/* Those that are asked for, and what rbx sets besides. ca: of the system; NULL: none. */
bool settings_make(struct sql_settings *settings, const struct sql_ask *ask,
	const char *ca, struct err *err);
const char *setting(const struct sql_settings *settings, const char *name); /* NULL */
/* One that is set already stays. */
void setting_put(struct sql_settings *settings, const char *name, const char *value);
void setting_replace(struct sql_settings *settings, const char *name, const char *value);

/* text: of libpq; where: the server, for people. */
void sql_refusal(const char *text, const char *where, struct err *err);

#endif
