/* Whole runs in the scripted world: which records they leave. For what the executable
 * specification does not know: called playbooks, lists that undo, drills, questions that
 * are steps, `rbx undo`. */
#include "traces.h"

static void
test_call(void **unused)
{
	(void)unused;
	expect("{'book':{'steps':[{'id':'c','type':'playbook','book':{"
		"'preconditions':[{'id':'p'}],'steps':[{'id':'x','effect':'once'}],"
		"'on_success':[{'id':'h','effect':'repeatable'}],"
		"'finally':[{'id':'f'}]}}]}}",
		"begin c\n"
		"outcome c/preconditions/p ok ran\n"
		"intent c/x\n"
		"outcome c/x ok ran\n"
		"begin c/on_success\n"
		"intent c/on_success/h\n"
		"outcome c/on_success/h ok ran\n"
		"begin c/finally\n"
		"outcome c/finally/f ok ran\n"
		"outcome c ok\n"
		"end  ok exit=0\n", 0);
}

static void
test_call_refused(void **unused)
{
	(void)unused;
	expect("{'book':{'steps':[{'id':'c','type':'playbook','on_error':'continue',"
		"'book':{'preconditions':[{'id':'p'},{'id':'q'}],"
		"'steps':[{'id':'x','effect':'once'}],"
		"'on_failure':[{'id':'h','effect':'repeatable'}]}},"
		"{'id':'y','effect':'idempotent'}]},"
		"'world':{'c/preconditions/p':[{'holds':false}]}}",
		"begin c\n"
		"outcome c/preconditions/p failed\n"
		"outcome c/preconditions/q ok ran\n"
		"begin c/on_failure\n"
		"intent c/on_failure/h\n"
		"outcome c/on_failure/h ok ran\n"
		"outcome c failed\n"
		"intent y\n"
		"outcome y ok ran\n"
		"end  ok exit=0\n", 0);
}

static void
test_call_dry(void **unused)
{
	(void)unused;
	expect("{'book':{'steps':[{'id':'c','type':'playbook','dry_run':true,'book':{"
		"'steps':[{'id':'x','effect':'once'},"
		"{'id':'y','effect':'idempotent','preview':true}],"
		"'finally':[{'id':'f','effect':'once'}]}}]}}",
		"begin c\n"
		"outcome c/x ok assumed\n"
		"outcome c/y ok predicted\n"
		"outcome c ok\n"
		"end  ok nothing=true exit=0\n", 0);
}

static const char *const with_undo_list =
	"{'mode':'%s','book':{'steps':[{'id':'g','type':'block','on_error':'undo',"
	"'steps':[{'id':'a','effect':'idempotent','undo':'auto'},"
	"{'id':'b','effect':'once','undo':["
	"{'id':'b1','effect':'once'},{'id':'b2','effect':'idempotent'}]},"
	"{'id':'c','effect':'once'}]}]%s},'world':{'g/c':[{'verdict':'%s'}]%s}}";

static void
test_undo_list(void **unused)
{
	struct arena *mem = arena_new();

	(void)unused;
	expect(arena_printf(mem, with_undo_list, "run", "", "FAIL", ""),
		"begin g\n"
		"intent g/a\n"
		"outcome g/a ok ran\n"
		"intent g/b\n"
		"outcome g/b ok ran\n"
		"intent g/c\n"
		"outcome g/c failed\n"
		"begin g/b/undo\n"
		"intent g/b/undo/b1\n"
		"outcome g/b/undo/b1 ok ran\n"
		"intent g/b/undo/b2\n"
		"outcome g/b/undo/b2 ok ran\n"
		"outcome g/b/undo ok\n"
		"intent g/a/undo\n"
		"outcome g/a/undo ok ran\n"
		"outcome g failed\n"
		"end  failed exit=1\n", 1);
	arena_free(mem);
}

static void
test_undo_list_fails(void **unused)
{
	struct arena *mem = arena_new();

	(void)unused;
	expect(arena_printf(mem, with_undo_list, "run", "", "FAIL",
		",'g/b/undo/b1':[{'verdict':'FAIL'}]"),
		"begin g\n"
		"intent g/a\n"
		"outcome g/a ok ran\n"
		"intent g/b\n"
		"outcome g/b ok ran\n"
		"intent g/c\n"
		"outcome g/c failed\n"
		"begin g/b/undo\n"
		"intent g/b/undo/b1\n"
		"ask g/b/undo/b1 failed\n", 4);
	arena_free(mem);
}

static void
test_drill(void **unused)
{
	struct arena *mem = arena_new();

	(void)unused;
	expect(arena_printf(mem, with_undo_list, "drill",
		",'trigger':[{'id':'t'}],'on_success':[{'id':'h'}]",
		"DONE", ",'trigger/t':[{'holds':false}]"),
		"outcome trigger/t failed\n"
		"begin g\n"
		"intent g/a\n"
		"outcome g/a ok ran\n"
		"intent g/b\n"
		"outcome g/b ok ran\n"
		"intent g/c\n"
		"outcome g/c ok ran\n"
		"outcome g ok\n"
		"begin g/b/undo\n"
		"intent g/b/undo/b1\n"
		"outcome g/b/undo/b1 ok ran\n"
		"intent g/b/undo/b2\n"
		"outcome g/b/undo/b2 ok ran\n"
		"outcome g/b/undo ok\n"
		"intent g/a/undo\n"
		"outcome g/a/undo ok ran\n"
		"begin on_success\n"
		"outcome on_success/h ok ran\n"
		"end  ok left=[\"g/c\"] green=false exit=1\n", 1);
	arena_free(mem);
}

static void
test_drill_green(void **unused)
{
	struct arena *mem = arena_new();

	(void)unused;
	expect(arena_printf(mem, with_undo_list, "drill",
		",'drill':{'undo':false,'leaves':['g/a','g/b','g/c']}", "DONE", ""),
		"begin g\n"
		"intent g/a\n"
		"outcome g/a ok ran\n"
		"intent g/b\n"
		"outcome g/b ok ran\n"
		"intent g/c\n"
		"outcome g/c ok ran\n"
		"outcome g ok\n"
		"end  ok left=[\"g/a\",\"g/b\",\"g/c\"] green=true exit=0\n", 0);
	arena_free(mem);
}

static void
test_undo_run(void **unused)
{
	struct arena *mem = arena_new();
	struct world *done = world_of(mem,
		arena_printf(mem, with_undo_list, "run", "", "DONE", ""), NULL);
	struct world *undo = world_of(mem,
		arena_printf(mem, with_undo_list, "undo", "", "DONE", ""),
			world_state(done));

	(void)unused;
	assert_str(trace_of(mem, undo),
		"begin g/b/undo\n"
		"intent g/b/undo/b1\n"
		"outcome g/b/undo/b1 ok ran\n"
		"intent g/b/undo/b2\n"
		"outcome g/b/undo/b2 ok ran\n"
		"outcome g/b/undo ok\n"
		"intent g/a/undo\n"
		"outcome g/a/undo ok ran\n"
		"end  ok left=[\"g/c\"] exit=0\n");
	world_close(undo);
	world_close(done);
	arena_free(mem);
}

/* What cannot be taken back is asked about; given up, the run has failed. */
static void
test_undo_run_fails(void **unused)
{
	struct arena *mem = arena_new();
	struct world *done = world_of(mem,
		arena_printf(mem, with_undo_list, "run", "", "DONE", ""), NULL);
	struct world *undo = world_of(mem,
		"{'mode':'undo','tty':true,'book':{'steps':[{'id':'g','type':'block',"
		"'steps':["
		"{'id':'a','effect':'idempotent','undo':'auto'}]}]},"
		"'world':{'g/a/undo#undo':[{'verdict':'FAIL'}]},'events':["
		"{'at':3,'do':'cancel'},"
		"{'at':5,'do':'resolve','step':'g/a/undo','choice':'failed'}]}",
		world_state(done));

	(void)unused;
	assert_str(trace_of(mem, undo),
		"intent g/a/undo\n"
		"ask g/a/undo failed\n"
		"signal  cancel\n"
		"outcome g/a/undo failed\n"
		"end  failed left=[\"g/a\"] exit=1\n");
	world_close(undo);
	world_close(done);
	arena_free(mem);
}

static void
test_manual(void **unused)
{
	(void)unused;
	expect("{'book':{'steps':[{'id':'m','effect':'repeatable','asks':true},"
		"{'id':'n','effect':'repeatable','asks':true},{'id':'z'}]},'tty':true,"
		"'events':[{'at':5,'do':'approve','step':'m'},"
		"{'at':9,'do':'approve','step':'n','yes':false},"
		"{'at':12,'do':'resolve','step':'n','choice':'failed'}]}",
		"ask m change\n"
		"answer m yes=true\n"
		"intent m\n"
		"outcome m ok ran\n"
		"ask n change\n"
		"answer n yes=false\n"
		"ask n failed\n"
		"resolve n failed\n"
		"outcome n failed resolved\n"
		"end  failed exit=1\n", 1);
}

static void
test_group_question(void **unused)
{
	(void)unused;
	expect("{'book':{'steps':[{'id':'g','type':'block','confirm':{'within':50},"
		"'steps':[{'id':'x','effect':'once'}]}]},'tty':true}",
		"ask g change\n"
		"answer g yes=false\n"
		"outcome g failed\n"
		"end  failed exit=1\n", 1);
	expect("{'book':{'steps':[{'id':'g','type':'block','confirm':{},"
		"'steps':[{'id':'x','effect':'once'}]}]},'tty':true,"
		"'events':[{'at':5,'do':'cancel'}]}",
		"ask g change\n"
		"signal  cancel\n"
		"outcome g cancelled\n"
		"end  cancelled exit=5\n", 5);
}

/* Who may answer, and how many: what does not count is on the record and changes nothing.
 */
static void
test_persons(void **unused)
{
	(void)unused;
	expect("{'book':{'steps':[{'id':'g','type':'block',"
		"'confirm':{'by':'ops','at_least':2,'not_by':'requester'},"
		"'steps':[{'id':'x','effect':'once'}]}]},'tty':true,'by':{'person':'cat'},"
		"'events':[{'at':1,'do':'approve','step':'g'},"
		"{'at':2,'do':'approve','step':'g','person':'cat','group':'ops'},"
		"{'at':3,'do':'approve','step':'g','person':'dan','group':'dev'},"
		"{'at':4,'do':'approve','step':'g','person':'ana','group':'ops'},"
		"{'at':5,'do':'approve','step':'g','person':'ana','group':'ops'},"
		"{'at':6,'do':'approve','step':'g','person':'bob','group':'ops'}]}",
		"ask g change\n"
		"answer g yes=true void=true\n"
		"answer g yes=true void=true\n"
		"answer g yes=true void=true\n"
		"answer g yes=true\n"
		"answer g yes=true void=true\n"
		"answer g yes=true\n"
		"begin g\n"
		"intent g/x\n"
		"outcome g/x ok ran\n"
		"outcome g ok\n"
		"end  ok exit=0\n", 0);
}

/* One no of somebody who may answer ends it, however many have said yes. */
static void
test_persons_say_no(void **unused)
{
	(void)unused;
	expect("{'book':{'steps':[{'id':'x','on_error':'stop','confirm':{'at_least':3}}]}"
	       ",'tty':true,"
	       "'events':[{'at':1,'do':'approve','step':'x','person':'ana'},"
	       "{'at':2,'do':'approve','step':'x','yes':false},"
	       "{'at':3,'do':'approve','step':'x','person':'ana','yes':false}]}",
		"ask x change\n"
		"answer x yes=true\n"
		"answer x yes=false void=true\n"
		"answer x yes=false\n"
		"outcome x failed\n"
		"end  failed exit=1\n",
		1);
}

static void
test_patience(void **unused)
{
	struct arena *mem = arena_new();
	struct world *world = world_of(mem, "{'book':{'steps':[{'id':'m',"
		"'effect':'repeatable','asks':true}],'on_waiting':[{'id':'h'}]},"
		"'tty':true,'events':[{'at':200,'do':'approve','step':'m'}]}", NULL);
	size_t n;
	const struct record *records = world_records(world, &n);

	(void)unused;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(records[i].path, "on_waiting[3]/h") == 0)
			assert_int_equal((records[i].at - WORLD_START) / 1000000, 61);
	}
	assert_str(trace_of(mem, world),
		"ask m change\n"
		"begin on_waiting[3]\n"
		"outcome on_waiting[3]/h ok ran\n"
		"answer m yes=true\n"
		"intent m\n"
		"outcome m ok ran\n"
		"end  ok exit=0\n");
	world_close(world);
	arena_free(mem);
}

/* A person has settled it before rbx came back: the intent of the dead owner is not
 * repeated (R8). */
static void
test_resolved_while_dead(void **unused)
{
	(void)unused;
	expect_late("{'book':{'steps':["
		"{'id':'a','effect':'idempotent'},{'id':'b'}]},"
		"'events':[{'after':3,'do':'crash'},"
		"{'at':5,'do':'resolve','step':'a','choice':'done'},"
		"{'at':6,'do':'resolve','step':'nobody','choice':'skip'},"
		"{'at':9,'do':'resume'}]}",
		"intent a\n"
		"resolve nobody skip void=true\n"
		"outcome a doubt\n"
		"resolve a done\n"
		"outcome a ok resolved\n"
		"outcome b ok ran\n"
		"end  ok exit=0\n");
}

/* The run waited, left with 4, was answered, and is resumed: it must not leave again
 * before it has read the answer. */
/* A yes that was given stands over a crash. */
static void
test_persons_crash(void **unused)
{
	(void)unused;
	expect_late(
		"{'book':{'steps':[{'id':'x','effect':'once','confirm':{'at_least':2}}]},"
		"'events':[{'at':5,'do':'approve','step':'x','person':'ana'},{'at':9,'do'"
		":'resume'},"
		"{'at':15,'do':'approve','step':'x','person':'bob'},{'at':19,'do':'"
		"resume'}]}",
		"ask x change\n"
		"answer x yes=true\n"
		"answer x yes=true\n"
		"intent x\n"
		"outcome x ok ran\n"
		"end  ok exit=0\n");
}

static void
test_approved_while_dead(void **unused)
{
	(void)unused;
	expect_late("{'book':{'steps':[{'id':'a','effect':'once','confirm':{}}]},"
		"'events':[{'at':5,'do':'approve','step':'a'},{'at':9,'do':'resume'}]}",
		"ask a change\n"
		"answer a yes=true\n"
		"intent a\n"
		"outcome a ok ran\n"
		"end  ok exit=0\n");
	expect_late("{'book':{'steps':[{'id':'g','type':'block','confirm':{},"
		"'steps':[{'id':'a','effect':'once'}]}]},"
		"'events':[{'at':5,'do':'approve','step':'g'},{'at':9,'do':'resume'}]}",
		"ask g change\n"
		"answer g yes=true\n"
		"begin g\n"
		"intent g/a\n"
		"outcome g/a ok ran\n"
		"outcome g ok\n"
		"end  ok exit=0\n");
}

static void
test_doubt_resolved_while_dead(void **unused)
{
	(void)unused;
	expect_late("{'book':{'steps':[{'id':'a','effect':'once'}]},"
		"'world':{'a':[{'verdict':'DOUBT'},{}]},"
		"'events':[{'at':5,'do':'resolve','step':'a','choice':'retry'},"
		"{'at':9,'do':'resume'}]}",
		"intent a\n"
		"outcome a doubt\n"
		"resolve a retry\n"
		"intent a\n"
		"outcome a ok ran\n"
		"end  ok exit=0\n");
}

static void
test_cancelled_while_dead(void **unused)
{
	(void)unused;
	expect_late("{'book':{'steps':[{'id':'a','effect':'once','confirm':{}}]},"
		"'events':[{'at':5,'do':'cancel'},{'at':9,'do':'resume'}]}",
		"ask a change\n"
		"signal  cancel\n"
		"outcome a cancelled\n"
		"end  cancelled exit=5\n");
}

/* One crash before or after each record, resumed: each path ends as without it, or a
 * person is asked about what cannot be known. */
static void
crash_at(const char *text, struct crash crash, const struct run_state *base)
{
	struct arena *mem = arena_new();
	struct scenario *scenario = arena_new_of(mem, struct scenario);
	struct world *world = world_new(mem, scenario_of(mem, text, scenario));

	world_crash(world, &crash, 1, 1000000);
	const char *fault = world_run(world);
	if (fault != NULL)
		fail_msg("%s", fault);
	const struct run_state *state = world_state(world);
	bool asked = !list_is_empty(&state->waiting);
	if (!asked && state->end != base->end)
		fail_msg("crash before %llu, after %llu:\n%.*s",
			(unsigned long long)crash.before,
			(unsigned long long)crash.after, STR_FMT(trace_of(mem, world)));
	for (const struct path_state *p = base->first; p != NULL; p = p->next) {
		const struct path_state *q = state_find(state, p->path);
		if (!asked && p->state != OUT_NONE && (q == NULL || q->state != p->state))
			fail_msg("crash before %llu, after %llu: %s is %s",
				(unsigned long long)crash.before,
					(unsigned long long)crash.after,
				p->path, q == NULL ? "nothing" : outcome_word(q->state));
	}
	world_close(world);
	arena_free(mem);
}

static void
test_crashes(void **unused)
{
	static const char *const texts[] = {
		"{'book':{'steps':[{'id':'c','type':'playbook','on_error':'continue',"
		"'book':{'preconditions':[{'id':'p'}],"
		"'steps':[{'id':'x','effect':'idempotent'}],"
		"'on_success':[{'id':'h','effect':'repeatable'}],"
		"'finally':[{'id':'f'}]}},"
		"{'id':'d','type':'playbook','dry_run':true,'book':{'steps':["
		"{'id':'y','effect':'once','preview':true}]}}]}}",
		"{'mode':'drill','book':{'steps':[{'id':'g','type':'parallel','steps':["
		"{'id':'a','effect':'idempotent','undo':'auto','preview':true},"
		"{'id':'b','effect':'idempotent','undo':["
		"{'id':'b1','effect':'idempotent'},"
		"{'id':'b2','effect':'probed','probe':true}]}]}],"
		"'finally':[{'id':'f','effect':'idempotent'}]}}",
		"{'book':{'steps':[{'id':'g','type':'block','on_error':'undo','steps':["
		"{'id':'a','effect':'idempotent','each':2,"
		"'undo':[{'id':'b','effect':'idempotent'}]},"
		"{'id':'z','effect':'idempotent'}]}]},"
		"'world':{'g/z':[{'verdict':'FAIL'}]}}",
	};

	(void)unused;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct arena *mem = arena_new();
		struct world *base = world_of(mem, texts[i], NULL);
		size_t n;
		const struct record *records = world_records(base, &n);
		assert_int_not_equal(world_state(base)->end, END_NONE);
		for (uint64_t seq = 2; seq <= n; seq++) {
			/* else there is no run */
			if (records[seq - 1].at > records[0].at)
				crash_at(texts[i], (struct crash){.before = seq},
					world_state(base));
			crash_at(texts[i], (struct crash){.after = seq},
				world_state(base));
		}
		world_close(base);
		arena_free(mem);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call), cmocka_unit_test(test_call_refused),
		cmocka_unit_test(test_call_dry), cmocka_unit_test(test_undo_list),
		cmocka_unit_test(test_undo_list_fails), cmocka_unit_test(test_drill),
		cmocka_unit_test(test_drill_green), cmocka_unit_test(test_undo_run),
		cmocka_unit_test(test_undo_run_fails), cmocka_unit_test(test_manual),
			cmocka_unit_test(test_group_question),
		cmocka_unit_test(test_persons), cmocka_unit_test(test_persons_say_no),
		cmocka_unit_test(test_persons_crash),
		cmocka_unit_test(test_patience),
			cmocka_unit_test(test_resolved_while_dead),
		cmocka_unit_test(test_approved_while_dead),
		cmocka_unit_test(test_doubt_resolved_while_dead),
		cmocka_unit_test(test_cancelled_while_dead),
			cmocka_unit_test(test_crashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
