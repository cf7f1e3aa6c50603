#!/usr/bin/env python3
"""Fails unless docs/security.md has each of the 30 rows once, and each names tests that there are and that are run."""
import pathlib
import re
import sys

ROW = re.compile(r'^\| (\d+) \| .* \| (.*) \|$', re.M)
NAME = re.compile(r'`([^`]+)`')


def scenarios(root: pathlib.Path) -> dict[str, list[str]]:
    """The tests of rows and the files that hold them, of the files that are run."""
    run = (root / 'tests/scenario/meson.build').read_text()
    found: dict[str, list[str]] = {}
    for file in sorted((root / 'tests/scenario').glob('test_security*.py')):
        if f"'{file.stem.removeprefix('test_')}'" in run:
            for name in re.findall(r'^    def (test_\w+)', file.read_text(), re.M):
                found.setdefault(name, []).append(file.name)
    return found


def units(root: pathlib.Path) -> set[str]:
    found = set()
    for file in (root / 'tests/unit').rglob('*_test.c'):
        found.update(f'{file.name}:{name}' for name in re.findall(r'^(\w+)\(void \*\*', file.read_text(), re.M))
    return found


def wrong(text: str, tests: dict[str, list[str]], known: set[str]) -> list[str]:
    rows = [(int(n), NAME.findall(names)) for n, names in ROW.findall(text)]
    told = [name for _, names in rows for name in names]
    found = [] if [n for n, _ in rows] == list(range(1, 31)) else ['the rows are not 1 to 30, each once']
    found += [f'row {n} names no test' for n, names in rows if not names]
    found += [f'there is no test {name}' for name in told if name not in tests and name not in known]
    found += [f'{name} stands in {" and ".join(files)}' for name, files in tests.items() if len(files) > 1]
    for name in tests:
        row = re.match(r'test_c(\d\d)_', name)
        if row and name not in dict(rows).get(int(row[1]), []):
            found.append(f'row {int(row[1])} does not name {name}')
    return found


def main(root: pathlib.Path) -> int:
    text = (root / 'docs/security.md').read_text()
    tests, known = scenarios(root), units(root)
    found = wrong(text, tests, known)
    if not wrong(text.replace('test_c01_', 'test_c01_not_'), tests, known) or not wrong(text.replace('| 7 |', '| 8 |'), tests, known):
        found.append('the negative control passed: a test that is not there was not missed')
    print('\n'.join(found) or f'30 rows, {len(tests)} scenarios')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main(pathlib.Path(sys.argv[1])))
