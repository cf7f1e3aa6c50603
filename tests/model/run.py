#!/usr/bin/env python3
"""Feeds the driver with what the executable specification says, for a range of seeds.

  run.py DRIVER ROOT [--seed N] [--count N] [--break RULE]

The model lies beside the project (ROOT/../shared/model) or where $RBX_MODEL says; without it the test is skipped (77)."""
import argparse
import os
import pathlib
import subprocess
import sys


def main() -> int:
    a = argparse.ArgumentParser()
    a.add_argument('driver')
    a.add_argument('root', type=pathlib.Path)
    a.add_argument('--seed', default='1')
    a.add_argument('--count', default='100')
    a.add_argument('--break', dest='broken', default='')
    args = a.parse_args()
    folder = pathlib.Path(os.environ.get('RBX_MODEL') or args.root.parent / 'shared' / 'model')
    if not (folder / 'rbx_model.py').exists():
        print(f'the executable specification is not there: {folder}; set RBX_MODEL')
        return 77
    expect = [sys.executable, str(pathlib.Path(__file__).with_name('expect.py')), str(folder), '--seed', args.seed, '--count', args.count]
    driver = [args.driver]
    if args.broken:
        expect += ['--break', args.broken]
        driver += ['--expect-differences']
    with subprocess.Popen(expect, stdout=subprocess.PIPE) as model:
        status = subprocess.run(driver, stdin=model.stdout, check=False).returncode
        model.stdout.close()
    return status or model.returncode


if __name__ == '__main__':
    sys.exit(main())
