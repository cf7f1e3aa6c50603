#include "run/words.h"

#include "run/decide.h"

/* The words of the records, by number. They never change: a store of years ago is read
 * with them. */

const char *
fate_word(enum fate fate)
{
	static const char *const words[] = {"none", "partial", "doubt", "done"};

	return words[fate];
}

const char *
outcome_word(enum outcome outcome)
{
	static const char *const words[] = {"", "ok", "failed", "skipped", "cancelled",
		"doubt"};

	return words[outcome];
}

const char *
way_word(enum way way)
{
	static const char *const words[] = {"", "ran", "unchanged", "adopted",
		"resolved"};

	return words[way];
}

const char *
grade_word(enum grade grade)
{
	static const char *const words[] = {"", "checked", "predicted", "assumed",
		"unknown"};

	return words[grade];
}

const char *
mode_word(enum mode mode)
{
	static const char *const words[] = {"run", "dry", "drill", "undo"};

	return words[mode];
}

const char *
halt_word(enum halt halt)
{
	static const char *const words[] = {"", "cancel", "stop", "deadline", "lost"};

	return words[halt];
}

const char *
ending_word(enum ending ending)
{
	static const char *const words[] = {
		"", "ok", "failed", "refused", "cancelled", "out_of_time",
	};

	return words[ending];
}

int
ending_exit(enum ending ending)
{
	static const int codes[] = {-1, 0, 1, 3, 5, 6};

	return codes[ending];
}

const char *
choice_word(enum choice choice)
{
	static const char *const words[] = {
		"", "done", "failed", "skip", "retry", "retry-as-new",
	};

	return words[choice];
}

const char *
question_kind_word(enum question_kind kind)
{
	static const char *const words[] = {"", "change", "failed"};

	return words[kind];
}

const char *
phase_word(enum phase phase)
{
	static const char *const words[] = {
		"provide", "look", "check", "run", "settle", "probe", "orphans", "undo",
	};

	return words[phase];
}

const char *
stand_word(enum stand stand)
{
	static const char *const words[] = {
		"new", "waiting", "ready", "provide", "look", "ask", "check", "run",
			"settle",
		"probe", "backoff", "ending", "doubt", "final",
	};

	return words[stand];
}

/* The number of a word in such a list; `otherwise` where it is none of them. */
static int
number(struct str word, const char *(*of)(int), int n, int otherwise)
{
	for (int i = 0; i < n; i++) {
		if (str_is(word, of(i)))
			return i;
	}
	return otherwise;
}

static const char *
fate_at(int i)
{
	return fate_word((enum fate)i);
}

enum fate
fate_parse(struct str word)
{
	return (enum fate)number(word, fate_at, 4, 0);
}

static const char *
outcome_at(int i)
{
	return outcome_word((enum outcome)i);
}

enum outcome
outcome_parse(struct str word)
{
	return (enum outcome)number(word, outcome_at, 6, 0);
}

static const char *
way_at(int i)
{
	return way_word((enum way)i);
}

enum way
way_parse(struct str word)
{
	return (enum way)number(word, way_at, 5, 0);
}

static const char *
grade_at(int i)
{
	return grade_word((enum grade)i);
}

enum grade
grade_parse(struct str word)
{
	return (enum grade)number(word, grade_at, 5, 0);
}

static const char *
mode_at(int i)
{
	return mode_word((enum mode)i);
}

enum mode
mode_parse(struct str word)
{
	return (enum mode)number(word, mode_at, 4, 0);
}

static const char *
halt_at(int i)
{
	return halt_word((enum halt)i);
}

enum halt
halt_parse(struct str word)
{
	return (enum halt)number(word, halt_at, 5, 0);
}

static const char *
ending_at(int i)
{
	return ending_word((enum ending)i);
}

enum ending
ending_parse(struct str word)
{
	return (enum ending)number(word, ending_at, 6, 0);
}

static const char *
choice_at(int i)
{
	return choice_word((enum choice)i);
}

enum choice
choice_parse(struct str word)
{
	return (enum choice)number(word, choice_at, 6, 0);
}

static const char *
question_kind_at(int i)
{
	return question_kind_word((enum question_kind)i);
}

enum question_kind
question_kind_parse(struct str word)
{
	return (enum question_kind)number(word, question_kind_at, 3, 0);
}

const char *
effect_text(enum effect effect)
{
	static const char *const words[] = {
		"pure", "idempotent", "keyed", "probed", "once", "repeatable",
	};

	return words[effect];
}

static const char *
effect_at(int i)
{
	return effect_text((enum effect)i);
}

int
effect_parse(struct str word)
{
	return number(word, effect_at, 6, -1);
}
