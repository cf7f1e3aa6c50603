/* credential_process of a profile: a program that prints keys as JSON (AWS SDKs and Tools
 * Reference, "Process credential provider"). No shell reads its line. */
#include "../steps/aws/profile.h"

enum { OUTPUT_MOST = 65536 };

/* One word of the line, as a shell takes quotes and backslashes, and nothing else. */
static bool
next_word(struct arena *mem, struct str *line, struct buf *word)
{
	char quote = '\0';
	*line = str_trim(*line);
	*word = buf_in(mem);
	size_t i = 0;
	for (; i < line->n && (quote != '\0' || line->p[i] != ' '); i++) {
		char c = line->p[i];
		if (c == '\\' && quote != '\'' && i + 1 < line->n)
			buf_putc(word, line->p[++i]);
		else if (c == quote)
			quote = '\0';
		else if (quote == '\0' && (c == '"' || c == '\''))
			quote = c;
		else
			buf_putc(word, c);
	}
	bool any = i > 0;
	*line = str_from(*line, i);
	return any;
}

static const char *const *
words_of(struct arena *mem, struct str line)
{
	const char **argv = arena_array(mem, const char *, line.n / 2 + 2);
	struct buf word;
	for (size_t n = 0; next_word(mem, &line, &word); n++)
		argv[n] = buf_cstr(&word);
	return argv;
}

/* What such a program may want to know besides what every child gets. */
static const char *const *
process_env(struct step *step)
{
	static const char *const names[] = {"AWS_PROFILE", "AWS_CONFIG_FILE",
		"AWS_SHARED_CREDENTIALS_FILE", "AWS_REGION", "AWS_DEFAULT_REGION",
		"AWS_CA_BUNDLE", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"};
	struct list_builder pass = {.mem = step->mem};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		list_push(&pass, value_str(str_of(names[i])));
	struct value list = list_done(&pass);
	return step_child_env(step, NULL, &list);
}

static enum found
ask(struct step *step, struct str command)
{
	struct chain *c = step->state;
	struct exec_ask exec = {.argv = words_of(step->mem, command),
		.env = process_env(step),
		.keep = OUTPUT_MOST};
	c->stage = 1;
	step_exec(
		step, (struct how){.reads = true, .title = "credential_process"}, &exec);
	return FOUND_LATER;
}

static enum found
read_answer(struct step *step, const struct event *event)
{
	struct chain *c = step->state;
	const struct exec_answer *answer = event->op->answer;
	if (event->op->err.code != ERR_NONE)
		return chain_end_op(step, event, NULL);
	if (answer->signal != 0 || answer->code != 0)
		return chain_end(step,
			arena_printf(step->mem, "it ended with exit code %d",
				answer->signal != 0 ? 128 + answer->signal
						    : answer->code));
	if (!chain_read_keys(step, answer->out))
		return chain_end(step,
			"it printed no JSON object with AccessKeyId and SecretAccessKey");
	if (c->keys.valid_until != 0 && c->keys.valid_until <= event->now.wall)
		return chain_end(step, "what it gave has expired");
	return chain_found(step,
		arena_printf(step->mem, "credential_process of profile %s", c->profile));
}

enum found
source_process(struct step *step, const struct event *event)
{
	struct chain *c = step->state;
	struct str command = profile_get(step, c->profile, "credential_process");
	if (c->stage > 0)
		return read_answer(step, event);
	return command.n > 0 ? ask(step, command)
			     : chain_nothing(step, "none in the profile");
}
