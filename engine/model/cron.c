#include "model/load.h"

struct cron_field { const char *name; int64_t least, most; };

static bool
is_number(struct str text, const struct cron_field *field)
{
	int64_t n;
	return text.n > 0 && text.p[0] >= '0' && text.p[0] <= '9' && str_int(text, &n)
		&& n >= field->least && n <= field->most;
}

/* "*", "5", "1-5", each with "/2" */
static bool
is_range(struct str text, const struct cron_field *field)
{
	struct cron_field step = {"step", 1, field->most};
	struct str every, last, part = str_cut(text, '/', &every);
	if (every.p != NULL && !is_number(every, &step))
		return false;
	if (str_is(part, "*"))
		return true;
	struct str first = str_cut(part, '-', &last);
	return is_number(first, field) && (last.p == NULL || is_number(last, field));
}

bool
cron_is_valid(struct str text, struct err *err)
{
	static const struct cron_field fields[] = {
		{"minute", 0, 59},
		{"hour", 0, 23},
		{"day", 1, 31},
		{"month", 1, 12},
		{"weekday", 0, 7},
	};
	struct str rest = str_trim(text);
	for (size_t i = 0; i < 5; i++) {
		struct str word = str_cut(rest, ' ', &rest), more = word;
		rest = str_trim(rest);
		if (word.n == 0)
			return err_set(err, ERR_VALUE,
				"cron takes 5 fields: minute hour day month weekday");
		do {
			struct str part = str_cut(more, ',', &more);
			if (!is_range(part, &fields[i]))
				return err_set(err, ERR_VALUE,
					"'%.*s' is no %s of cron, %lld to %lld",
					STR_FMT(word), fields[i].name,
					(long long)fields[i].least,
					(long long)fields[i].most);
		} while (more.p != NULL);
	}
	return rest.n == 0
		|| err_set(err, ERR_VALUE,
			"cron takes 5 fields: minute hour day month weekday");
}
