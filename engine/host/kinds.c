#include "host/real.h"

const struct real_kind *const real_kinds[OP_POSTED + 1] = {
	[OP_SLEEP] = &real_sleep,
	[OP_EXEC] = &real_exec,
	[OP_OPEN] = &real_open,
	[OP_HTTP] = &real_http,
	[OP_MAIL] = &real_mail,
	[OP_SQL] = &real_sql,
	[OP_DNS] = &real_dns,
	[OP_CONNECT] = &real_connect,
	[OP_READ] = &real_read,
	[OP_WRITE] = &real_write,
	[OP_FILE] = &real_file,
	[OP_ORPHANS] = &real_orphans,
	[OP_POSTED] = &real_posted,
};
