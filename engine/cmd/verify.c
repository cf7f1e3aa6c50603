#include "cmd/command.h"

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
	if (want != NULL && !str_starts(str_of(head), str_of(want))) {
		err_set(&err, ERR_VALUE,
			"the chain of %s is whole, but its head is %s, not %s: records "
			"were altered or added",
			run, head, want);
		return cmd_error(cmd, EXIT_FAILED, &err);
	}
	if (cmd->json)
		buf_printf(&out, "{\"run\":\"%s\",\"records\":%llu,\"head\":\"%s\"}\n",
			run, (unsigned long long)records, head);
	else
		buf_printf(&out, "%s: %llu records, the chain is whole\nhead %s%s\n", run,
			(unsigned long long)records, head,
			want != NULL ? " (as given)" : "");
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
	.run = run,
};
