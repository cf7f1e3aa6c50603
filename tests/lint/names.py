#!/usr/bin/env python3
"""Fails if two tests have one name: meson's report then breaks off in the middle of the suite."""
import collections
import json
import subprocess
import sys


def twice(tests: list[dict]) -> list[str]:
    count = collections.Counter(t['name'] for t in tests)
    return sorted(name for name, n in count.items() if n > 1)


def main(build: str) -> int:
    tests = json.loads(subprocess.run(['meson', 'introspect', '--tests', build], capture_output=True, check=True).stdout)
    found = twice(tests)
    if twice([{'name': 'a'}, {'name': 'a'}]) != ['a']:
        found.append('the negative control passed: a name that stands twice was not seen')
    print('\n'.join(found) or f'{len(tests)} tests, each with a name of its own')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
