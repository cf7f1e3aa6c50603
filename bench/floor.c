/* What the durable run of a step cannot go below, without Python around it:
 *   floor spawn N        N times posix_spawnp (a vfork), exec and wait of `true`
 *   floor commit FILE N  N durable commits of one record each, as the store makes them */
#include <sqlite3.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static int
spawn(int n)
{
	char name[] = "true", *argv[] = {name, NULL}, *env[] = {NULL};
	for (int i = 0; i < n; i++) {
		pid_t pid;
		if (posix_spawnp(&pid, name, NULL, NULL, argv, env) != 0
			|| waitpid(pid, NULL, 0) != pid)
			return 1;
	}
	return 0;
}

static int
commit(const char *file, int n)
{
	static const char setup[] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
		"PRAGMA wal_autocheckpoint=0;"
		"CREATE TABLE IF NOT EXISTS record (n INTEGER PRIMARY KEY, body TEXT)";
	sqlite3 *db;
	sqlite3_stmt *add;
	char body[300];
	memset(body, 'x', sizeof body);
	if (sqlite3_open(file, &db) != SQLITE_OK
		|| sqlite3_exec(db, setup, NULL, NULL, NULL) != SQLITE_OK
		|| sqlite3_prepare_v2(db, "INSERT INTO record (body) VALUES (?1)", -1, &add,
			NULL) != SQLITE_OK)
		return 1;
	for (int i = 0; i < n; i++) {
		sqlite3_bind_text(add, 1, body, sizeof body, SQLITE_STATIC);
		if (sqlite3_step(add) != SQLITE_DONE)
			return 1;
		sqlite3_reset(add);
	}
	sqlite3_finalize(add);
	return sqlite3_close(db) == SQLITE_OK ? 0 : 1;
}

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "spawn") == 0)
		return spawn(atoi(argv[2]));
	if (argc == 4 && strcmp(argv[1], "commit") == 0)
		return commit(argv[2], atoi(argv[3]));
	fprintf(stderr, "usage: floor spawn N | floor commit FILE N\n");
	return 2;
}
