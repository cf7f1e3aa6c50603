#!/usr/bin/env python3
"""Fails where the program tells in which folder it was built: two builds would be two programs."""
import pathlib
import sys


def main(program: pathlib.Path, roots: list[str]) -> int:
    data = program.read_bytes()
    found = [root for root in roots if root.encode() in data]
    if b'rbx: carry out' not in data and b'carry out runbooks' not in data:
        print('the control: this is not rbx')
        return 1
    print('\n'.join(f'{program} names {root}' for root in found) or 'no folder of the build')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main(pathlib.Path(sys.argv[1]), sys.argv[2:]))
