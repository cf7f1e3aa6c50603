/* What becomes of a step whose owner died, row by row of the tables of resilience.md D2
 * and engine-sketch.md "Resume": whether it is carried out again, looked at, or left to a
 * person. Times are seconds of the scripted world. */
#include "traces.h"

#define ONE(more) "{'book':{'steps':[{'id':'x'," more "}]},"
/* it dies in the first attempt of x, which takes long */
#define DIES "'events':[{'at':3,'do':'crash'},{'at':5,'do':'resume'}],"
#define SLOW "'x':[{'for':10},{}]"
#define DOUBT "'x':[{'verdict':'DOUBT','reach':'SENT'},{}]"
#define PARTIAL "'x':[{'verdict':'PARTIAL','reach':'ANSWERED'},{}]"
#define NOTHING "'x':[{'verdict':'FAIL','transient':true},{}]"
#define BAD "'x':[{'assert':false},{}]"
#define RAN "outcome x ok done ran\nend  ok exit=0\n"
#define PARKED "outcome x doubt doubt\n"

struct row { const char *text, *trace; };

static void
expect_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		expect_fates(rows[i].text, rows[i].trace);
}

#define EXPECT_ROWS(...)                                                                 \
	do {                                                                             \
		static const struct row rows_[] = {__VA_ARGS__};                         \
		expect_rows(rows_, sizeof rows_ / sizeof rows_[0]);                      \
	} while (0)

/* ---- the class table, by its columns */

static void
class_in_doubt_on_resume(void **unused)
{
	(void)unused;
	EXPECT_ROWS(
		{ONE("'effect':'pure'") DIES "'world':{" SLOW "}}",
			"outcome x ok none ran\nend  ok exit=0\n"},
		{ONE("'effect':'idempotent'") DIES "'world':{" SLOW "}}",
			"intent x\nintent x\n" RAN},
		{ONE("'effect':'keyed'") DIES "'world':{" SLOW "}}",
			"intent x\nintent x\n" RAN},
		{ONE("'effect':'once'") DIES "'world':{" SLOW "}}",
			"intent x\n" PARKED},
		{ONE("'effect':'repeatable'") DIES "'world':{" SLOW "}}",
			"intent x\nintent x repeat=true\n" RAN});
}

static void
a_key_protects_within_its_window_only(void **unused)
{
	(void)unused;
	EXPECT_ROWS(
		{ONE("'effect':'keyed','window':4") "'world':{'x':[{'for':5,"
			"'verdict':'DOUBT','reach':'SENT'},{}]}}", "intent x\n" PARKED},
		{ONE("'effect':'keyed','window':4") DIES "'world':{" SLOW "}}",
			"intent x\n" PARKED},
		{ONE("'effect':'keyed','window':4,'probe':true") DIES "'world':{" SLOW
			",'x#probe':[{'verdict':'DONE'}]}}",
			"intent x\noutcome x ok done adopted\nend  ok exit=0\n"});
}

static void
a_probe_settles_what_it_can(void **unused)
{
	(void)unused;
	EXPECT_ROWS(
		{ONE("'effect':'probed','probe':true") DIES "'world':{" SLOW
			",'x#probe':[{'verdict':'DONE'}]}}",
			"intent x\noutcome x ok done adopted\nend  ok exit=0\n"},
		{ONE("'effect':'probed','probe':true") DIES "'world':{" SLOW
			",'x#probe':[{'verdict':'ABSENT'}]}}",
			"intent x\nretry x partial\nintent x\n" RAN},
		{ONE("'effect':'probed','probe':true") DIES "'world':{" SLOW
			",'x#probe':[{'verdict':'DOUBT'}]}}",
			"intent x\n" PARKED});
}

static void
class_of_which_nothing_was_sent(void **unused)
{
	(void)unused;
	EXPECT_ROWS(
		{ONE("'effect':'once'") "'world':{" NOTHING "}}",
			"intent x\nretry x none\nintent x\n" RAN},
		{ONE("'effect':'once'") "'world':{'x':[{'verdict':'FAIL'}]}}",
			"intent x\noutcome x failed none\nend  failed exit=1\n"},
		{ONE("'effect':'keyed'") "'world':{" NOTHING "}}",
			"intent x\nretry x none\nintent x\n" RAN},
		{ONE("'effect':'repeatable'") "'world':{" NOTHING "}}",
			"intent x\nretry x none\nintent x\n" RAN});
}

static void
class_that_answered_badly(void **unused)
{
	(void)unused;
	EXPECT_ROWS(
		{ONE("'effect':'idempotent'") "'world':{" PARTIAL "}}",
			"intent x\nretry x partial\nintent x\n" RAN},
		{ONE("'effect':'keyed'") "'world':{" PARTIAL "}}",
			"intent x\nretry x partial\nintent x\n" RAN},
		{ONE("'effect':'probed','probe':true") "'world':{" PARTIAL
			",'x#probe':[{'verdict':'DONE'}]}}",
			"intent x\noutcome x ok done adopted\nend  ok exit=0\n"},
		{ONE("'effect':'once'") "'world':{" PARTIAL "}}",
			"intent x\noutcome x failed partial\nend  failed exit=1\n"},
		{ONE("'effect':'once'") "'world':{'x':[{'verdict':'PARTIAL',"
			"'reach':'ANSWERED','transient':true},{}]}}",
			"intent x\noutcome x failed partial\nend  failed exit=1\n"},
		{ONE("'effect':'repeatable'") "'world':{" PARTIAL "}}",
			"intent x\nretry x partial\n"
			"intent x repeat=true\n" RAN});
}

static void
class_whose_answer_was_lost(void **unused)
{
	(void)unused;
	EXPECT_ROWS(
		{ONE("'effect':'idempotent'") "'world':{" DOUBT "}}",
			"intent x\nretry x doubt\nintent x\n" RAN},
		{ONE("'effect':'keyed'") "'world':{" DOUBT "}}",
			"intent x\nretry x doubt\nintent x\n" RAN},
		{ONE("'effect':'probed','probe':true") "'world':{" DOUBT
			",'x#probe':[{'verdict':'ABSENT'}]}}",
			"intent x\nretry x partial\nintent x\n" RAN},
		{ONE("'effect':'once'") "'world':{'x':[{'verdict':'DOUBT',"
			"'reach':'SENT','transient':true},{}]}}", "intent x\n" PARKED},
		{ONE("'effect':'repeatable','retry':{'attempts':1}") "'world':{" DOUBT
			"}}", "intent x\noutcome x failed doubt\nend  ok exit=0\n"});
}

static void
class_that_was_done_and_is_not_as_wanted(void **unused)
{
	static const char failed[] =
		"intent x\noutcome x failed done\nend  failed exit=1\n";

	(void)unused;
	EXPECT_ROWS({ONE("'effect':'idempotent'") "'world':{" BAD "}}", failed},
		{ONE("'effect':'keyed'") "'world':{" BAD "}}", failed},
		{ONE("'effect':'probed','probe':true") "'world':{" BAD "}}", failed},
		{ONE("'effect':'once'") "'world':{" BAD "}}", failed});
}

/* A second attempt that was refused does not prove that the first did nothing. */
static void
r03_the_worst_of_the_attempts_counts(void **unused)
{
	(void)unused;
	expect_fates(ONE("'effect':'idempotent'") "'world':{'x':["
		"{'verdict':'DOUBT','reach':'SENT'},{'verdict':'FAIL'}]}}",
		"intent x\nretry x doubt\nintent x\n" PARKED);
}

/* ---- what still runs */

static void
r06_what_cannot_be_ended_parks(void **unused)
{
	(void)unused;
	EXPECT_ROWS(
		{ONE("'effect':'idempotent'") DIES "'world':{" SLOW
			",'x#orphans':[{'left':1}]}}", "intent x\n" PARKED},
		{ONE("'effect':'probed','probe':true") DIES "'world':{" SLOW
			",'x#orphans':[{'left':1}]}}", "intent x\n" PARKED},
		{ONE("'effect':'repeatable'") DIES "'world':{" SLOW
			",'x#orphans':[{'left':1}]}}",
			"intent x\nintent x repeat=true\n" RAN});
}

static void
r06_what_cannot_be_ended_parks_in_a_living_run(void **unused)
{
	static const char running[] =
		"'world':{'x':[{'verdict':'DOUBT','reach':'SENT','left':1},{}]}}";
	struct arena *mem = arena_new();

	(void)unused;
	expect_fates(arena_printf(mem, "%s%s", ONE("'effect':'idempotent'"), running),
		"intent x\n" PARKED);
	expect_fates(arena_printf(mem, "%s%s", ONE("'effect':'probed','probe':true"),
		running), "intent x\n" PARKED);
	expect_fates(arena_printf(mem, "%s%s", ONE("'effect':'repeatable'"), running),
		"intent x\nretry x doubt\nintent x repeat=true\n" RAN);
	arena_free(mem);
}

/* ---- another rbx */

static void
what_another_version_recorded_is_a_persons(void **unused)
{
	(void)unused;
	/* also after a person has said retry: what was recorded is the same */
	expect_fates(ONE("'effect':'idempotent'") "'events':[{'at':3,'do':'crash'},"
		"{'at':5,'do':'resume','version':2},"
		"{'at':9,'do':'resolve','step':'x','choice':'retry'},"
		"{'at':11,'do':'resume'},"
		"{'at':13,'do':'resolve','step':'x','choice':'done'},"
		"{'at':15,'do':'resume'}],'world':{" SLOW "}}",
		"intent x\n" PARKED "resolve x retry\n" PARKED
		"resolve x done\noutcome x ok done resolved\nend  ok exit=0\n");
	/* the rbx that began it goes on */
	expect_fates(ONE("'effect':'idempotent'") "'events':[{'at':3,'do':'crash'},"
		"{'at':5,'do':'resume','version':2},{'at':9,'do':'resume','version':1}],"
		"'world':{" SLOW "}}",
		"intent x\n" PARKED "intent x\n" RAN);
}

static void
an_effect_of_another_version_is_not_repeated(void **unused)
{
	(void)unused;
	expect_fates(ONE("'effect':'idempotent','settle':true") "'events':["
		"{'at':3,'do':'crash'},{'at':5,'do':'resume','version':2},"
		"{'at':8,'do':'resume','version':1},"
		"{'at':9,'do':'resolve','step':'x','choice':'done'},"
		"{'at':12,'do':'resume','version':1}],"
		"'world':{'x#settle':[{'for':10},{}]}}",
		"intent x\neffect x adopted=false\nask x failed done\nresolve x done\n"
		"outcome x ok done resolved\nend  ok exit=0\n");
}

static void
an_undo_does_not_go_by_the_records_of_another_version(void **unused)
{
	(void)unused;
	expect_fates("{'book':{'steps':[{'id':'g','type':'block','on_error':'undo',"
		"'steps':[{'id':'a','effect':'idempotent','undo':'auto'},"
		"{'id':'b','effect':'once'}]}]},"
		"'events':[{'at':3,'do':'crash'},{'at':5,'do':'resume','version':2},"
		"{'at':8,'do':'resolve','step':'g/b','choice':'failed'},"
		"{'at':9,'do':'resume'},"
		"{'at':20,'do':'resolve','step':'g/a/undo','choice':'failed'},"
		"{'at':22,'do':'resume'}],'world':{'g/b':[{'for':10}]}}",
		"begin g\nintent g/a\noutcome g/a ok done ran\nintent g/b\n"
		"outcome g/b doubt doubt\nresolve g/b failed\n"
		"outcome g/b failed none resolved\nask g/a/undo failed none\n"
		"resolve g/a/undo failed\noutcome g/a/undo failed none resolved\n"
		"outcome g failed partial\nend  failed exit=1\n");
}

/* ---- clocks */

static void
expect_rising(const char *text, const char *trace)
{
	struct arena *mem = arena_new();
	struct world *world = world_of(mem, text, NULL);
	size_t n;
	const struct record *records = world_records(world, &n);

	assert_str(trace_fates(mem, world), trace);
	for (size_t i = 1; i < n; i++)
		assert_true(records[i].at >= records[i - 1].at);
	world_close(world);
	arena_free(mem);
}

#define YEARS "315360000"

/* The boot clock alone counts while a run is carried out. */
static void
r11_a_wall_clock_that_jumps_changes_no_deadline(void **unused)
{
	static const char *const by[] = {YEARS, "-" YEARS};

	(void)unused;
	for (size_t i = 0; i < 2; i++) {
		struct arena *mem = arena_new();
		expect_rising(arena_printf(mem, ONE("'effect':'once','timeout':60,"
			"'deadline':60") "'events':[{'at':3,'do':'jump','by':%s}],"
			"'world':{'x':[{'for':50}]}}", by[i]),
			"begin x\nintent x\n" RAN);
		expect_rising(arena_printf(mem, ONE("'effect':'once','timeout':60,"
			"'deadline':20") "'events':[{'at':3,'do':'jump','by':%s}],"
			"'world':{'x':[{'for':50}]}}", by[i]),
			"begin x\nintent x\n" PARKED);
		arena_free(mem);
	}
}

/* What is on the record is not undone by a clock that was set back meanwhile. */
static void
r11_a_clock_set_back_while_dead_takes_no_record_back(void **unused)
{
	(void)unused;
	expect_rising(ONE("'effect':'idempotent','deadline':100") "'events':["
		"{'at':3,'do':'crash'},{'at':4,'do':'jump','by':-86400},"
		"{'at':5,'do':'resume'}],'world':{" SLOW "}}",
		"begin x\nintent x\nintent x\n" RAN);
}

static void
r11_a_clock_set_forward_while_dead_allows_one_attempt(void **unused)
{
	(void)unused;
	expect_rising(ONE("'effect':'idempotent','deadline':100,'retry':{'attempts':5}")
		"'events':[{'at':3,'do':'crash'},{'at':4,'do':'jump','by':" YEARS "},"
		"{'at':5,'do':'resume'}],"
		"'world':{'x':[{'for':10},{'verdict':'PARTIAL'},{}]}}",
		"begin x\nintent x\nintent x\noutcome x doubt doubt\n");
}

/* ---- re-opened after the end */

#define ENDS "'events':[{'at':20,'do':'reopen'}],"

static void
a_run_that_failed_tries_again_by_fate(void **unused)
{
	(void)unused;
	EXPECT_ROWS(
		/* none: again */
		{ONE("'effect':'once'") ENDS "'world':{'x':[{'verdict':'FAIL'},{}]}}",
			"intent x\noutcome x failed none\nend  failed exit=1\n"
			"intent x\n" RAN},
		/* partial or done: idempotent again */
		{ONE("'effect':'idempotent','retry':{'attempts':1}") ENDS
			"'world':{" PARTIAL "}}",
			"intent x\noutcome x failed partial\nend  failed exit=1\n"
			"intent x\n" RAN},
		{ONE("'effect':'idempotent'") ENDS "'world':{" BAD "}}",
			"intent x\noutcome x failed done\nend  failed exit=1\n"
			"intent x\n" RAN},
		/* keyed partial in the window again, done a person */
		{ONE("'effect':'keyed','retry':{'attempts':1}") ENDS "'world':{" PARTIAL
			"}}", "intent x\noutcome x failed partial\nend  failed exit=1\n"
			"intent x\n" RAN},
		{ONE("'effect':'keyed'") ENDS "'world':{" BAD "}}",
			"intent x\noutcome x failed done\nend  failed exit=1\n"
			"ask x failed done\n"},
		/* once: a person */
		{ONE("'effect':'once'") ENDS "'world':{" PARTIAL "}}",
			"intent x\noutcome x failed partial\nend  failed exit=1\n"
			"ask x failed partial\n"},
		/* probed: asked */
		{ONE("'effect':'probed','probe':true") ENDS "'world':{" BAD
			",'x#probe':[{'verdict':'DONE'}]}}",
			"intent x\noutcome x failed done\nend  failed exit=1\n"
			"outcome x ok done adopted\nend  ok exit=0\n"},
		/* with effect: only looked at */
		{ONE("'effect':'idempotent','settle':true") ENDS
			"'world':{'x#settle':[{'verdict':'FAIL'},{}]}}",
			"intent x\neffect x adopted=false\noutcome x failed done\n"
			"end  failed exit=1\n" RAN});
}

/* A failure beside it stopped it before it had begun: neither it nor its group is done.
 */
static void
what_was_cut_off_is_carried_out_on_resume(void **unused)
{
	static const char *const groups[][2] = {
		{"'type':'block','steps':[{'id':'x','preview':true,'undo':'auto',"
			"'effect':'idempotent'}]", "p/g/x"},
		{"'type':'choose','branches':[{'when':true,'steps':[{'id':'x',"
			"'preview':true,'undo':'auto','effect':'idempotent'}]}]",
			"p/g/x"},
		{"'each':1,'preview':true,'undo':'auto','effect':'idempotent'",
			"p/g[0]"},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
		struct arena *mem = arena_new();
		const char *x = groups[i][1];
		expect_fates(arena_printf(mem, "{'book':{'steps':[{'id':'p',"
			"'type':'parallel','steps':[{'id':'a','effect':'once'},"
			"{'id':'g',%s}]}]}," ENDS
			"'world':{'p/a':[{'verdict':'FAIL'},{}],"
			"'%s#look':[{'for':5},{}]}}", groups[i][0], x),
			arena_printf(mem, "begin p\nintent p/a\nbegin p/g\n"
			"outcome p/a failed none\noutcome %s cancelled none\n"
			"outcome p/g cancelled none\noutcome p failed none\n"
			"end  failed exit=1\nbegin p\nintent p/a\nbegin p/g\n"
			"outcome p/a ok done ran\nintent %s\noutcome %s ok done ran\n"
			"outcome p/g ok done\noutcome p ok done\nend  ok exit=0\n",
			x, x, x));
		arena_free(mem);
	}
}

static void
what_ended_well_or_was_undone_stays_ended(void **unused)
{
	(void)unused;
	EXPECT_ROWS({ONE("'effect':'once'") ENDS "'world':{}}", "intent x\n" RAN},
		{"{'book':{'preconditions':[{'id':'p'}],'steps':[{'id':'x'}]}," ENDS
			"'world':{'preconditions/p':[{'holds':false},{}]}}",
			"outcome preconditions/p failed none\nend  refused exit=3\n"},
		{"{'book':{'steps':[{'id':'g','type':'block','on_error':'undo','steps':["
			"{'id':'a','effect':'idempotent','undo':'auto'},"
			"{'id':'b','effect':'once'}]}]}," ENDS
			"'world':{'g/b':[{'verdict':'FAIL'},{}]}}",
			"begin g\nintent g/a\noutcome g/a ok done ran\nintent g/b\n"
			"outcome g/b failed none\nintent g/a/undo\n"
			"outcome g/a/undo ok done ran\noutcome g failed partial\n"
			"end  failed exit=1\n"},
		{"{'book':{'steps':[{'id':'x','effect':'once'}],"
			"'finally':[{'id':'f','effect':'idempotent'}]}," ENDS
			"'world':{'x':[{'verdict':'FAIL'},{}]}}",
			"intent x\noutcome x failed none\nbegin finally\n"
			"intent finally/f\noutcome finally/f ok done ran\n"
			"end  failed exit=1\n"});
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(class_in_doubt_on_resume),
		cmocka_unit_test(a_key_protects_within_its_window_only),
		cmocka_unit_test(a_probe_settles_what_it_can),
		cmocka_unit_test(class_of_which_nothing_was_sent),
		cmocka_unit_test(class_that_answered_badly),
		cmocka_unit_test(class_whose_answer_was_lost),
		cmocka_unit_test(class_that_was_done_and_is_not_as_wanted),
		cmocka_unit_test(r03_the_worst_of_the_attempts_counts),
		cmocka_unit_test(r06_what_cannot_be_ended_parks),
		cmocka_unit_test(r06_what_cannot_be_ended_parks_in_a_living_run),
		cmocka_unit_test(what_another_version_recorded_is_a_persons),
		cmocka_unit_test(an_effect_of_another_version_is_not_repeated),
		cmocka_unit_test(an_undo_does_not_go_by_the_records_of_another_version),
		cmocka_unit_test(r11_a_wall_clock_that_jumps_changes_no_deadline),
		cmocka_unit_test(r11_a_clock_set_back_while_dead_takes_no_record_back),
		cmocka_unit_test(r11_a_clock_set_forward_while_dead_allows_one_attempt),
		cmocka_unit_test(a_run_that_failed_tries_again_by_fate),
		cmocka_unit_test(what_was_cut_off_is_carried_out_on_resume),
		cmocka_unit_test(what_ended_well_or_was_undone_stays_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
