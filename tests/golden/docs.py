#!/usr/bin/env python3
"""What docs/playbooks.md says is so: each of its YAML blocks is a playbook that `rbx validate` takes, and it names every key of
the language and nothing else as one. usage: docs.py RBX FILE"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path


def blocks(text: str) -> list[tuple[int, str]]:
    """(line, YAML) of each block; what is left out of an excerpt is put around it."""
    found = []
    for block in re.finditer(r'^```yaml\n(.*?)^```', text, re.M | re.S):
        yaml = block[1]
        if not re.search(r'^rbx:', yaml, re.M):
            yaml = 'rbx: 1\nname: excerpt\n' + yaml
        found.append((text[:block.start()].count('\n') + 1, yaml))
    return found


def refused(rbx: str, yaml: str) -> str:
    """What validate says against it; '' if nothing."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, 'playbook.yaml')
        file.write_text(yaml)
        told = subprocess.run([rbx, 'validate', file], capture_output=True, text=True)
        return told.stderr + told.stdout if told.returncode else ''


def keys(rbx: str) -> set[str]:
    """Those that stand outermost in what `rbx help` prints."""
    told = ''.join(subprocess.run([rbx, 'help', topic], capture_output=True, text=True, check=True).stdout
                   for topic in ('playbook', 'step'))
    return set(re.findall(r'^  [* ] ([a-z_]+)', told, re.M))


def unnamed(rbx: str, text: str) -> set[str]:
    return {key for key in keys(rbx) if not re.search(rf'[`{{ ]{key}[`:]|^{key}:', text, re.M)}


def main(rbx: str, file: str) -> int:
    text = Path(file).read_text()
    wrong = [f'{file}:{line}: {error}' for line, yaml in blocks(text) if (error := refused(rbx, yaml))]
    wrong += [f'{file}: nothing is said of the key {key}' for key in sorted(unnamed(rbx, text))]
    if not refused(rbx, blocks(text)[0][1].replace('http_check', 'http_chek')):
        wrong.append('the negative control passed: a block with a wrong name was taken')
    if 'confirm' not in unnamed(rbx, text.replace('confirm', '')):
        wrong.append('the negative control passed: a key that is not named was not missed')
    print('\n'.join(wrong) or f'{len(blocks(text))} playbooks, {len(keys(rbx))} keys')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
