#include "show/style.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char *const codes[] = {
	[TONE_PLAIN] = "",
	[TONE_GOOD] = "\033[32m",
	[TONE_BAD] = "\033[1;31m",
	[TONE_WARN] = "\033[33m",
	[TONE_ASK] = "\033[1;35m",
	[TONE_DIM] = "\033[2m",
	[TONE_BOLD] = "\033[1m",
	[TONE_WORK] = "\033[36m",
};

struct style
style_of(bool colour)
{
	const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	struct style style = {.colour = colour, .ascii = true};
	struct winsize size;
	for (size_t i = 0; i < 3; i++) {
		const char *locale = getenv(names[i]);
		if (locale == NULL || locale[0] == '\0')
			continue;
		style.ascii = strstr(locale, "UTF-8") == NULL
			&& strstr(locale, "utf8") == NULL
			&& strstr(locale, "utf-8") == NULL;
		break;
	}
	if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		style.width = size.ws_col > 0 ? size.ws_col : 80;
	return style;
}

void
style_on(struct buf *out, const struct style *style, enum tone tone)
{
	if (style->colour)
		buf_puts(out, codes[tone]);
}

void
style_off(struct buf *out, const struct style *style)
{
	if (style->colour)
		buf_puts(out, "\033[0m");
}

void
style_text(struct buf *out, const struct style *style, enum tone tone, const char *text)
{
	style_on(out, style, tone);
	buf_safe(out, str_of(text), false);
	style_off(out, style);
}

struct look { const char *mark, *plain; enum tone tone; };

static struct look
look_of(const struct path_state *path)
{
	if (path->grade == GRADE_UNKNOWN)
		return (struct look){"?", "?", TONE_WARN};
	switch (path->state) {
	case OUT_OK:
		return path->grade == GRADE_PREDICTED || path->grade == GRADE_ASSUMED
			? (struct look){"~", "~", TONE_WORK}
			: (struct look){"✓", "+", TONE_GOOD};
	case OUT_FAILED:
		return (struct look){"✗", "x", TONE_BAD};
	case OUT_SKIPPED:
		return (struct look){"–", "-", TONE_DIM};
	case OUT_CANCELLED:
		return (struct look){"■", "#", TONE_WARN};
	case OUT_DOUBT:
		return (struct look){"!", "!", TONE_ASK};
	case OUT_NONE:
		break;
	}
	if (path->ask != 0)
		return (struct look){"?", "?", TONE_ASK};
	return path->started_at != 0 ? (struct look){"▸", ">", TONE_WORK}
				     : (struct look){"·", ".", TONE_DIM};
}

const char *
style_mark(const struct style *style, const struct path_state *path, enum tone *tone)
{
	struct look look = look_of(path);
	*tone = look.tone;
	return style->ascii ? look.plain : look.mark;
}

const char *
style_state(const struct run_state *state, const struct path_state *path)
{
	if (path->state == OUT_OK && path->grade != GRADE_NONE)
		return grade_word(path->grade);
	if (strcmp(path_status(state, path), "undone") == 0)
		return "undone";
	if (path->state == OUT_OK)
		return path->how == WAY_UNCHANGED   ? "unchanged"
			: path->how == WAY_ADOPTED  ? "done (found done)"
			: path->how == WAY_RESOLVED ? "done (resolved)"
						    : "done";
	if (path->state == OUT_DOUBT)
		return "in doubt";
	if (path->state != OUT_NONE)
		return outcome_word(path->state);
	if (path->ask != 0)
		return "waits for a person";
	return path->started_at != 0 ? "under way" : "pending";
}

static bool
is_wide(int32_t rune)
{
	return (rune >= 0x1100 && rune <= 0x115f) || (rune >= 0x2e80 && rune <= 0xa4cf)
		|| (rune >= 0xac00 && rune <= 0xd7a3)
		|| (rune >= 0xf900 && rune <= 0xfaff)
		|| (rune >= 0xfe30 && rune <= 0xfe6f)
		|| (rune >= 0xff00 && rune <= 0xff60)
		|| (rune >= 0xffe0 && rune <= 0xffe6)
		|| (rune >= 0x1f300 && rune <= 0x1faff)
		|| (rune >= 0x20000 && rune <= 0x3fffd);
}

static bool
is_combining(int32_t rune)
{
	return (rune >= 0x300 && rune <= 0x36f) || (rune >= 0x1ab0 && rune <= 0x1aff)
		|| (rune >= 0x20d0 && rune <= 0x20ff) || rune == 0x200b || rune == 0x200d
		|| (rune >= 0xfe00 && rune <= 0xfe0f);
}

static unsigned
columns_of(int32_t rune)
{
	return is_combining(rune) ? 0 : is_wide(rune) ? 2 : 1;
}

unsigned
text_columns(struct str text)
{
	unsigned columns = 0;
	size_t n;
	for (; text.n > 0; text = str_from(text, n))
		columns += columns_of(str_rune(text, &n));
	return columns;
}

struct str
text_cut(struct arena *mem, struct str text, unsigned most, bool ascii)
{
	struct buf out = buf_in(mem);
	unsigned columns = 0;
	size_t n;
	if (text_columns(text) <= most)
		return text;
	for (struct str rest = text; rest.n > 0; rest = str_from(rest, n)) {
		columns += columns_of(str_rune(rest, &n));
		if (columns + 1 > most)
			break;
		buf_add(&out, (struct str){rest.p, n});
	}
	buf_puts(&out, ascii ? "~" : "…");
	return buf_str(&out);
}

static bool
number_of(const struct value *v, double *out)
{
	if (v->kind == V_DURATION)
		*out = (double)span_ns(v->span);
	else if (v->kind == V_INT)
		*out = (double)v->i;
	else if (v->kind == V_DOUBLE)
		*out = v->d;
	else
		return false;
	return true;
}

/* A duration in a record is its text, "90s" or "12.5s". */
static bool
measure_of(const struct value *v, bool is_duration, double *out)
{
	if (!is_duration || v->kind != V_STRING)
		return number_of(v, out);
	char *end, *text = strndup(v->str.p, v->str.n);
	double seconds = text == NULL ? 0 : strtod(text, &end);
	bool good = text != NULL && end != text && end[0] == 's';
	free(text);
	*out = seconds * (double)NS_S;
	return good;
}

size_t
objectives_of(struct arena *mem, const struct playbook *book,
	const struct run_state *state, struct objective_state **out)
{
	struct objective_state *list =
		arena_array(mem, struct objective_state, book->n_objectives + 1);
	for (size_t i = 0; i < book->n_objectives; i++) {
		const struct objective *objective = &book->objectives[i];
		list[i].objective = objective;
		for (const struct path_state *path = state->first; path != NULL;
			path = path->next) {
			const struct value *v = path->measures == NULL
				? NULL
				: value_get(path->measures, objective->name);
			double number;
			if (v == NULL || !measure_of(v, objective->is_duration, &number))
				continue;
			list[i].number = !list[i].measured || number > list[i].number
				? number
				: list[i].number;
			list[i].measured = true;
		}
		double most = objective->is_duration ? (double)objective->ns
						     : objective->number;
		list[i].met = list[i].measured && list[i].number <= most;
	}
	*out = list;
	return book->n_objectives;
}

char *
objective_text(struct arena *mem, const struct objective *objective, double number)
{
	return objective->is_duration ? duration_short(mem, (int64_t)number)
				      : arena_printf(mem, "%g", number);
}
