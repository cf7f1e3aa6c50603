#!/usr/bin/env python3
"""Prints scenarios and what the executable specification makes of them, one JSON line each, for `driver`.

  expect.py MODEL_FOLDER [--seed N] [--count N] [--steady] [--break RULE]

The model is taken as it is but for the places below,
	where it says something else than the documents that it carries out
(engine-sketch.md,
	language.md). --break NAME breaks one of its rules: a driver that sees no difference is no test."""
import argparse
import json
import pathlib
import sys
import types

CORRECTED = [
    # "tries and deadlines count anew" for what a re-opening opens
    ("g.kind, g.state, g.tries, g.reopened, g.late = 'reopen', '', 0, True, False",
     "g.kind, g.state, g.tries, g.reopened, g.late, g.grace, g.deadline_at = 'reopen', '', 0, True, False, False, 0"),
    ("    if not b.get('void') and r.kind not in ('own', 'signal') or r.path and r.kind == 'signal':\n",
     "    if r.kind == 'begin' and f.kind == 'reopen' and f.intents:\n        pass\n"
     "    elif not b.get('void') and r.kind not in ('own', 'signal') or r.path and r.kind == 'signal':\n"),
    ("        if lv.st == '':\n            self.resume_leaf(n, p)\n",
     "        if lv.st == '':\n            if f.kind == 'reopen' and f.intents and n.deadline and not f.deadline_at and self.run.mode != 'dry':\n"
     "                self.emit('begin', p, deadline_at=self.now + n.deadline)\n            self.resume_leaf(n, p)\n"),
    # a step that failed before it had begun is asked for again: its `when` may have been what failed
    ("        if kind in ('', 'begin', 'signal') and not f.intents:\n",
     "        if kind in ('', 'begin', 'signal', 'reopen') and not f.intents:\n"),
    ("            if not f.begun:\n                w = self.when(n, p)\n",
     "            if not f.begun or f.kind == 'reopen' and not f.intents:\n                w = self.when(n, p)\n"),
    ("            if f.kind == 'reopen':                     # its list",
     "            if f.kind == 'reopen' and f.begun:         # its list"),
    # "An empty list: skipped"
    ("                if n.confirm is not None and self.run.mode != 'dry' and 'group'",
     "                if n.each == 0:\n                    self.final(n, p, 'skipped', 'none')\n                    return 'skipped'\n"
     "                if n.confirm is not None and self.run.mode != 'dry' and 'group'"),
    # a person's time does not count "also for the groups around it": loops too
    ("    return [''] + ['/'.join(parts[:i + 1]) for i in range(len(parts))]\n",
    	"    return [''] + groups(path) + [path]\n"),
    ("p.startswith(s + '/') for p in others",
    	"p.startswith((s + '/', s + '[')) for p in others"),
    # "Undo goes through the items backwards": those of a loop belong to it
    ("n = self.node_of(q) if q.startswith(p + '/') else None",
    	"n = self.node_of(q) if q.startswith((p + '/', p + '[')) else None"),
    # a check that fails has changed nothing
    ("        lv = self.lv(p)\n        if self.halted(p) and self.run.signal != 'deadline'", "        lv, fate = self.lv(p), 'none' if n.cls == P else fate\n        if self.halted(p) and self.run.signal != 'deadline'"),
    # what a person settled as done was neither skipped nor unchanged; a check never changed anything
    ("f.how in ('ran', 'adopted') and (n :=",
    	"f.how in ('ran', 'adopted', 'resolved') and (n :="),
    ("            fate = {'done': 'done',",
    	"            fate = 'none' if n.cls == P else {'done': 'done',"),
    # a dry run asks and shows the trigger; it need not hold
    ("        t = self.book.trigger if self.run.mode == 'run' else []\n        return [(n, 'trigger/' + n.id) for n in t]",
     "        return [(n, 'trigger/' + n.id) for n in self.book.trigger]"),
    ("if any(self.f(p).state == 'failed' for _, p in self.gates()):",
     "if any(self.f(p).state == 'failed' for _, p in self.gates() if self.run.mode == 'run' or not p.startswith('trigger/')):"),
    # a looped block is carried out for each item, its `finally` with it; the loop itself has none
    ("        if n.finally_ and self.run.mode != 'dry':", "        if n.finally_ and n.each is None and self.run.mode != 'dry':"),
    # a step that a stop left unbegun has no deadline that could ring for ever
    ("and not (p in o.live and o.live[p].cut)",
     "and not (p in o.live and p in o.nodes and o.nodes[p].type == 'step' and o.nodes[p].each is None and o.live[p].st == 'WAITING') and not (p in o.live and o.live[p].cut)"),
    # a list in which a stop has cut something off is not done: a resume would pass over that
    ("        return 'cancelled' if stop and not done or 'idle' in states else 'ok'",
     "        return 'cancelled' if stop and not done or 'idle' in states or 'cancelled' in states else 'ok'"),
]


def load(folder: pathlib.Path) -> types.ModuleType:
    texts = {name: (folder / f'{name}.py').read_text() for name in ('rbx_model',
    	'rbx_world')}
    for old, new in CORRECTED:
        where = [name for name, text in texts.items() if text.count(old) == 1]
        if len(where) != 1:
            sys.exit(f'the model is another one than this test knows: {old!r}')
        texts[where[0]] = texts[where[0]].replace(old, new)
    for name, text in texts.items():
        module = types.ModuleType(name)
        sys.modules[name] = module
        exec(compile(text, name, 'exec'), module.__dict__)
    return sys.modules['rbx_world']


def main() -> None:
    a = argparse.ArgumentParser()
    a.add_argument('folder', type=pathlib.Path)
    a.add_argument('--seed', type=int, default=1)
    a.add_argument('--count', type=int, default=100)
    a.add_argument('--steady', action='store_true')
    a.add_argument('--break', dest='broken', default='')
    args = a.parse_args()
    world = load(args.folder)
    rules = world.replace(world.FIXED,
    	**{args.broken: False}) if args.broken else world.FIXED
    for seed in range(args.seed, args.seed + args.count):
        scenario = world.random_scenario(seed, args.steady)
        print(json.dumps({'scenario': scenario, 'expect': world.Virtual(scenario,
        	rules).run()}))


if __name__ == '__main__':
    main()
