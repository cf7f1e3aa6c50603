#!/usr/bin/env python3
"""Fails on an include that points upward in the house, and on a step that reaches past run/step.h."""
import pathlib
import re
import sys

FLOOR = {'base': 0, 'data': 1, 'host': 1, 'model': 2, 'store': 3, 'run': 4, 'show': 5, 'cmd': 6}
APART = {('data', 'host'), ('host', 'data')}           # the same floor, and do not know each other
STEP = {'run/step.h'}
LIST = {'../steps/steps.h', '../steps/external.h'}       # the commands hand the list of types down
LOCAL = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def wrong(file: pathlib.Path, root: pathlib.Path, text: str) -> list[str]:
    parts = file.relative_to(root).parts
    found = []
    for name in LOCAL.findall(text):
        to = name.split('/')[0]
        if parts[0] == 'engine':
            mine = parts[1]
            if name in LIST and mine == 'cmd':
                continue
            if to not in FLOOR or FLOOR[to] > FLOOR[mine] or (mine, to) in APART:
                found.append(f'{file}: floor {mine} includes {name}')
        elif parts[0] == 'steps' and to in FLOOR and name not in STEP and parts[-1] != 'steps.h':
            found.append(f'{file}: a step includes {name}; only run/step.h is for steps')
    return found


def main(root: pathlib.Path) -> int:
    files = [f for d in ('engine', 'steps') for f in sorted((root / d).rglob('*.[ch]'))]
    found = [line for f in files for line in wrong(f, root, f.read_text())]
    control = wrong(root / 'engine/base/x.c', root, '#include "run/step.h"\n')
    if not control:
        found.append('the negative control passed: an upward include was not seen')
    print('\n'.join(found) or f'{len(files)} files, no include points upward')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main(pathlib.Path(sys.argv[1])))
