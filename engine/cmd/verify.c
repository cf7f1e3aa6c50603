#include "cmd/command.h"

#include "base/digest.h"

enum { HEAD_LENGTH = 64 };                             /* hex digits of SHA-256 */

struct looking {
	uint8_t want[32];
	uint64_t found;                               /* its record; 0: not yet */
};

static bool
look(const struct record *record, void *with)
{
	struct looking *looking = with;
	if (memcmp(record->hash, looking->want, sizeof looking->want) == 0)
		looking->found = record->seq;
	return looking->found == 0;
}

/* A head that somebody kept stands for all up to its record; what was added since (a tick, a
 * re-opening) follows it in the chain. *since: how many. */
static bool
find_head(struct cmd *cmd, const char *run, const char *want, uint64_t records, uint64_t *since,
	struct err *err)
{
	struct looking looking = {.found = 0};
	if (!hex_parse(str_of(want), looking.want, sizeof looking.want)) {
		err_set(err, ERR_VALUE, "'%.80s' is no head: it has %d hexadecimal digits", want,
			HEAD_LENGTH);
		return false;
	}
	if (!store_read(cmd->store, run, 1, look, &looking, err))
		return false;
	*since = records - looking.found;
	if (looking.found != 0)
		return true;
	return err_set(err, ERR_VALUE,
		"the chain of %s is whole, but no record of it has the head %s: records were "
		"altered or taken away", run, want);
}

static int
run(struct cmd *cmd)
{
	struct buf out = buf_in(cmd->mem);
	struct err err;
	char *head;
	uint64_t records;
	const char *run = cmd_run(cmd, cmd->words[0]), *want = cmd_value(cmd, "head");
	if (run == NULL)
		return EXIT_WRONG;
	if (!store_verify(cmd->store, run, cmd->mem, &head, &records, &err))
		return cmd_error(cmd, EXIT_FAILED, &err);
	uint64_t since = 0;
	if (want != NULL && !find_head(cmd, run, want, records, &since, &err))
		return cmd_error(cmd, err.code == ERR_VALUE && strlen(want) != HEAD_LENGTH ? EXIT_WRONG
				: EXIT_FAILED, &err);
	if (cmd->json)
		buf_printf(&out, "{\"run\":\"%s\",\"records\":%llu,\"head\":\"%s\"}\n",
			run, (unsigned long long)records, head);
	else
		buf_printf(&out, "%s: %llu records, the chain is whole\nhead %s%s\n", run,
			(unsigned long long)records, head,
			want == NULL ? "" : since == 0 ? " (as given)"
			: arena_printf(cmd->mem, "\nthe head as given, and %llu records since",
				(unsigned long long)since));
	cmd_print(cmd, &out);
	return EXIT_DONE;
}

static const struct option_row options[] = {
	{"head", 0, "HASH",
		"the head that was printed, reported or sent: proves that nothing was "
		"altered since"},
	{NULL, 0, NULL, NULL},
};

const struct command verify_command = {
	.name = "verify",
	.summary = "prove that the records of a run were not altered",
	.words = "RUN",
	.text = "Each record holds the hash of the one before. The chain proves order; with the head that somebody kept it also proves\n"
		"that no record was changed, added or taken away.",
	.example = "  rbx verify last --head 5f1c…",
	.options = options,
	.least = 1,
	.most = 1,
	.guard = GUARD_BUT_STORE,
	.run = run,
};
