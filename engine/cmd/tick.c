/* A tick is a record of the run itself: whoever ticks is its owner for that moment. */
#include "cmd/carry.h"

#include <stdio.h>

struct tick {
	struct cmd *cmd;
	const char *run;
	struct op op;
};

static const void *
finish(struct tick *tick)
{
	struct host *host = tick->cmd->host;
	int signal;
	while (host->type->wait(host, INT64_MAX, &signal) != &tick->op)
		;
	return tick->op.answer;
}

static struct op *
post(struct tick *tick)
{
	tick->op = (struct op){
		.kind = OP_POSTED, .mem = tick->cmd->mem, .deadline = INT64_MAX};
	return &tick->op;
}

static int
append(struct tick *tick, const struct run_state *state, const uint8_t head[32], int64_t number)
{
	struct host *host = tick->cmd->host;
	struct now now = host->type->now(host);
	const struct self *self = host->type->self(host);
	struct buf body = buf_in(tick->cmd->mem);
	buf_printf(&body, "{\"v\":1,\"number\":%lld,\"by\":{\"uid\":%u,\"user\":", (long long)number,
		self->uid);
	json_write_str(&body, str_of(self->user));
	buf_puts(&body, "}}");
	struct record record = {.seq = state->seq + 1, .at = now.wall, .boot = now.boot,
		.kind = REC_TICK, .path = "", .body = buf_str(&body)};
	struct batch batch = {.run = tick->run, .records = &record, .n_records = 1};
	struct err err;
	record_chain(tick->run, head, &record, 1);
	store_append(tick->cmd->store, &batch, post(tick));
	const struct append_answer *answer = finish(tick);
	if (answer->ack == ACK_DURABLE)
		return EXIT_DONE;
	err_set(&err, ERR_IO, "the tick could not be written: %s", answer->why);
	return cmd_error(tick->cmd, EXIT_FAILED, &err);
}

static int
tick_off(struct tick *tick, int64_t number)
{
	struct summary summary;
	struct err err;
	uint8_t head[32];
	if (!summary_load(tick->cmd, tick->run, &summary))
		return EXIT_FAILED;
	size_t n = summary.book == NULL ? 0 : summary.book->n_follow_ups;
	if (number > (int64_t)n) {
		err_set(&err, ERR_RANGE, "run %s has %zu follow-ups", tick->run, n);
		return cmd_error(tick->cmd, EXIT_WRONG, &err);
	}
	hex_parse(str_of(summary.head), head, sizeof head);
	int code = append(tick, summary.state, head, number);
	if (code == EXIT_DONE && !tick->cmd->json)
		printf("%s: follow-up %lld is done\n", tick->run, (long long)number);
	return code;
}

static int
run(struct cmd *cmd)
{
	struct tick tick = {.cmd = cmd, .run = cmd_run(cmd, cmd->words[0])};
	struct err err;
	int64_t number;
	if (tick.run == NULL)
		return EXIT_WRONG;
	if (!str_int(str_of(cmd->words[1]), &number) || number < 1) {
		err_set(&err, ERR_VALUE, "'%s' is no number of a follow-up", cmd->words[1]);
		return cmd_error(cmd, EXIT_WRONG, &err);
	}
	store_claim(cmd->store, tick.run, NULL, post(&tick));
	const struct claim_answer *answer = finish(&tick);
	if (tick.op.err.code != ERR_NONE)
		return cmd_error(cmd, EXIT_FAILED, &tick.op.err);
	if (answer->claim == NULL) {
		err_set(&err, ERR_BUSY, "%s is carried out by %s on %s (pid %u)", tick.run,
			answer->held->user, answer->held->host, answer->held->pid);
		return cmd_error(cmd, EXIT_HELD, &err);
	}
	int code = tick_off(&tick, number);
	store_release(cmd->store, answer->claim, false);
	return code;
}

const struct command tick_command = {
	.name = "tick",
	.summary = "mark a follow-up of a run as done",
	.words = "RUN NUMBER",
	.text = "Follow-ups are what people still have to do after a run; `rbx show` lists\n"
		"them by number.",
	.example = "  rbx tick last 1",
	.least = 2,
	.most = 2,
	.run = run,
};
