#include "show/question.h"

#include "data/json.h"

/* What a manual step asks besides done or not; it is written without ${{ }}. */
static const struct value *
fields_of(const struct playbook *book, const struct path_state *path)
{
	const struct node *node =
		path == NULL ? NULL : playbook_node(book, str_of(path->path));
	const struct value *ask = node == NULL || node->args == NULL
		? NULL
		: value_get(template_source(node->args), "ask");
	bool good = ask != NULL && ask->kind == V_MAP && ask->map->n > 0
		&& ask->map->n <= QUESTION_FIELDS;
	return good ? ask : NULL;
}

bool
question_choose(struct question_state *q, const struct run_state *state,
	const struct playbook *book)
{
	const struct path_state *path = NULL;
	if (!list_is_empty(&state->waiting))
		path = list_item(state->waiting.next, struct path_state, waiting);
	uint64_t ask = path == NULL ? 0 : path->ask != 0 ? path->ask : path->ended_seq;
	if (path == q->path && ask == q->ask)
		return false;
	*q = (struct question_state){
		.path = path, .ask = ask, .fields = fields_of(book, path)};
	return true;
}

static bool
is_change(const struct question_state *q)
{
	return q->path->ask != 0 && q->path->what == ASK_CHANGE;
}

void
question_write(struct buf *out, const struct style *style, const struct question_state *q)
{
	const struct path_state *path = q->path;
	if (path == NULL)
		return;
	style_on(out, style, TONE_ASK);
	if (q->step == Q_FIELD) {
		const struct member *field = &q->fields->map->members[q->n_answers];
		struct str help = value_get_str(&field->value, "help");
		buf_printf(out, "%.*s%s%.*s: ", STR_FMT(field->key.str),
			help.n > 0 ? ", " : "", STR_FMT(help));
	} else if (q->step == Q_REASON) {
		buf_printf(out, "why %s? ", choice_word(q->choice));
	} else if (is_change(q)) {
		buf_safe(out,
			str_trim(str_of(
				path->question == NULL ? path->path : path->question)),
			false);
		if (path->word != NULL)
			buf_printf(out, " [type %s, or no] ", path->word);
		else
			buf_puts(out, " [y/n] ");
	} else if (path->state == OUT_DOUBT) {
		buf_printf(out,
			"%s is in doubt. Did it take effect? [done/failed/retry/skip] ",
			path->path);
	} else {
		buf_printf(out, "%s has failed. [retry/skip/stop] ", path->path);
	}
	style_off(out, style);
	buf_safe(out, (struct str){q->typed, q->n}, false);
}

static bool
is_beginning(struct str typed, const char *word)
{
	return typed.n > 0 && str_starts(str_of(word), typed);
}

static void
finish(struct question_state *q, struct map_builder *message, struct arena *mem,
	struct str *body)
{
	struct value v = map_done(message);
	*body = str_of(json_text(mem, &v, JSON_COMPACT));
	q->n = 0;
	q->step = Q_ANSWER;
}

static void
approve(struct question_state *q, bool yes, struct arena *mem, struct str *body)
{
	struct map_builder message = {.mem = mem}, answers = {.mem = mem};
	map_put(&message, "do", value_str(STR("approve")));
	map_put(&message, "step", value_str(str_of(q->path->path)));
	map_put(&message, "yes", value_bool(yes));
	map_put(&message, "ask", value_int((int64_t)q->ask));
	if (q->path->word != NULL && yes)
		map_put(&message, "word", value_str(str_of(q->path->word)));
	for (size_t i = 0; i < q->n_answers; i++)
		map_put_str(&answers, q->fields->map->members[i].key.str,
			value_str(str_of(q->answers[i])));
	if (q->n_answers > 0)
		map_put(&message, "answers", map_done(&answers));
	finish(q, &message, mem, body);
}

/* true: a message is made. What is neither yes, or the wanted word, nor no leaves the
 * question as it stands: a key that slipped must not end a failover. */
static bool
answer_change(
	struct question_state *q, struct str typed, struct arena *mem, struct str *body)
{
	bool yes = q->path->word != NULL
		? str_is(typed, q->path->word)
		: is_beginning(typed, "yes") || str_is(typed, "Y");
	bool no = is_beginning(typed, "no") || str_is(typed, "N");
	if (!yes && !no)
		return false;
	if (yes && q->fields != NULL) {
		q->step = Q_FIELD;
		q->n_answers = 0;
		return false;
	}
	approve(q, yes, mem, body);
	return true;
}

static bool
answer_field(
	struct question_state *q, struct str typed, struct arena *mem, struct str *body)
{
	size_t n = typed.n < QUESTION_TYPED ? typed.n : QUESTION_TYPED - 1;
	if (n == 0)
		return false;
	memcpy(q->answers[q->n_answers], typed.p, n);
	q->answers[q->n_answers][n] = '\0';
	if (++q->n_answers < q->fields->map->n)
		return false;
	approve(q, true, mem, body);
	return true;
}

static void
choose(struct question_state *q, struct str typed)
{
	static const struct {
		const char *word;
		enum choice choice;
	} choices[] = {
		{"done", CHOICE_DONE},
		{"failed", CHOICE_FAILED},
		{"stop", CHOICE_FAILED},
		{"retry", CHOICE_RETRY},
		{"skip", CHOICE_SKIP},
	};
	for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++)
		if (is_beginning(typed, choices[i].word)) {
			q->choice = choices[i].choice;
			q->step = Q_REASON;
			return;
		}
}

bool
question_typed(
	struct question_state *q, struct str line, struct arena *mem, struct str *body)
{
	struct str typed = str_trim(line);
	struct map_builder message = {.mem = mem};
	if (q->path == NULL)
		return false;
	if (q->step == Q_FIELD)
		return answer_field(q, typed, mem, body);
	if (q->step == Q_ANSWER && is_change(q))
		return answer_change(q, typed, mem, body);
	if (q->step == Q_ANSWER) {
		choose(q, typed);
		return false;
	}
	if (typed.n == 0)
		return false;
	map_put(&message, "do", value_str(STR("resolve")));
	map_put(&message, "step", value_str(str_of(q->path->path)));
	map_put(&message, "choice", value_str(str_of(choice_word(q->choice))));
	map_put(&message, "reason", value_str(typed));
	map_put(&message, "ask", value_int((int64_t)q->ask));
	finish(q, &message, mem, body);
	return true;
}
