#!/usr/bin/env python3
"""The AWS calls of five disaster-recovery documents (aws_calls.test): each is validated and carried out, and the table of
docs/aws.md is made of them.

usage: tests/lab/lab run -- tests/scenario/test_aws_calls.py --write      renews the table"""
import functools
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import world
from world import DONE, FAILED, WRONG

CALLS = os.path.join(world.HERE, "aws_calls.test")
PAGE = os.path.join(world.ROOT, "docs/aws.md")
HEAD = "rbx: 1\nname: calls\ndefaults: {aws: {region: us-west-1}}\n"
FIRST, LAST = "<!-- the calls -->\n", "<!-- end of the calls -->\n"
LIST_OPERATIONS = """
import json, sys
sys.path.insert(0, sys.argv[1])
from cloud.services import SERVICES
print(json.dumps({name: [n for n in dir(kind) if n[0].isupper()] for name, kind in SERVICES.items()}))
"""


class Row:
    def __init__(self, title, body):
        self.document, _, self.says = title.partition(": ")
        self.body = body if re.search("^steps:", body, re.M) else "steps:\n" + body
        self.step = self.body.partition("- id: row\n")[2]
        self.call = self.word(r"^ +(?:aws: \{)?call: ([\w-]+\.\w+)")
        self.type = self.word(r"^ +(s3_\w+|route53_upsert|notify):") or "aws"
        self.secret = None if self.call else self.word(r"^secrets: .*(aws_\w+):", self.body)

    def word(self, pattern, text=None):
        found = re.search(pattern, self.step if text is None else text, re.M)
        return found and found.group(1)

    def playbook(self):
        return HEAD + self.body

    def said(self):
        if self.secret:
            return "secret `%s`" % self.secret
        if not self.call:
            words = [w for w in ("to: sns", "delete: true", "json: true", "from_region", "delete_others: true") if w in self.step]
            return ", ".join("`%s`" % w for w in [self.type] + words)
        more = [self.word(r"waiter: (\w+)") and "waiter `%s`" % self.word(r"waiter: (\w+)"),
                "pages: all" in self.step and "`pages: all`", "\n    accept:" in self.step and "`accept`", "\n    until:" in self.step and "`until`"]
        return ", ".join(["`%s`" % self.call] + [m for m in more if m])


def rows():
    with open(CALLS, encoding="utf-8") as f:
        parts = re.split(r"^## ", f.read(), flags=re.M)[1:]
    return [Row(title, body.strip("\n") + "\n") for title, _, body in (part.partition("\n") for part in parts)]


@functools.lru_cache(None)
def rbx(*args):
    return subprocess.run([world.RBX, *args], check=True, capture_output=True, text=True).stdout


def played():
    """What the lab's own server plays, by service; the rest is moto's."""
    with tempfile.NamedTemporaryFile("w", suffix=".py") as f:
        f.write(LIST_OPERATIONS)
        f.flush()
        lab = os.path.join(world.ROOT, "tests/lab")
        return json.loads(subprocess.run([os.path.join(lab, "lab"), "--dir", os.environ["RBX_LAB"], "python", f.name, lab], check=True,
                                         capture_output=True, text=True).stdout)


def effect_class(row):
    if row.secret:
        return "pure"
    own = row.word(r"^    effect: (\w+)")
    if own:
        return own + ", vouched for"
    if row.call:
        return re.search(r"^(\w+) +%s " % re.escape(row.call), rbx("steps", "aws", "--classes"), re.M).group(1)
    return re.search(r"^class (\w+)", rbx("steps", row.type), re.M).group(1)


def table():
    of_lab = played()
    lines = ["| document | what it says there | in rbx | class | seen to work against |", "|---|---|---|---|---|"]
    for row in rows():
        service, op = row.call.split(".") if row.call else (row.type.partition("_")[0], "")
        by_lab = service in ("route53", "notify") or row.secret or op in of_lab.get(service, [])
        lines.append("| %s | %s | %s | %s | %s |" % (row.document, row.says.replace("|", "\\|"), row.said(), effect_class(row),
                                                    "the lab's server" if by_lab else "moto"))
    return "\n".join(lines) + "\n"


def page():
    with open(PAGE, encoding="utf-8") as f:
        before, _, rest = f.read().partition(FIRST)
    return before, rest.partition(LAST)[0], rest.partition(LAST)[2]


class AwsCalls(world.Scenario):
    in_lab = True

    def setUp(self):
        super().setUp()
        self.begin(anew=False)
        self.write("payload", "payload")
        os.mkdir(os.path.join(self.dir, "dist"))
        self.write("a", "dist/a")
        self.write("b", "dist/b")

    def begin(self, anew=True):
        """The lab as it was, with a clock by which every wait is over at once."""
        if anew:
            self.lab.reset()
        self.lab.ask("POST", "/cloud/clock", {"speed": 5000})

    def file(self, row):
        return self.write(row.playbook())

    def carry_out(self, row):
        if self.effects():
            self.begin()
        self.assertRegex(self.rbx("run", self.file(row)).stdout, r"(?m)✓ row\b")
        if "pure" not in effect_class(row):
            op = row.call and row.call.split(".")[1]
            self.assertTrue(self.effects(op=op), "the lab saw no effect")

    def row(self, says):
        return next(r for r in rows() if says in r.says)

    def test_each_is_valid(self):
        names = [self.write(row.playbook(), "%02d.yaml" % n) for n, row in enumerate(rows())]
        self.assertGreater(len(names), 60)
        self.rbx("validate", *names)

    def test_each_works(self):
        for row in rows():
            with self.subTest(row.document + " " + row.says):
                self.carry_out(row)

    def test_examples_of_the_page(self):
        with open(PAGE, encoding="utf-8") as f:
            text = f.read()
        examples = re.findall(r"^```yaml\n(- id: .*?)^```", text, re.M | re.S)
        self.assertGreater(len(examples), 5)
        for example in examples:
            with self.subTest(example.partition("\n")[0]):
                self.begin()
                self.rbx("run", self.write("rbx: 1\nname: page\nsteps:\n" + re.sub("every: 10s", "every: 100ms", example)))
        commands = re.findall(r"^rbx (aws.*?|steps aws.*?)(?: {2,}#.*)?$", text, re.M)
        self.assertGreater(len(commands), 3)
        for command in commands:
            with self.subTest(command):
                self.assertTrue(self.rbx(*command.split()).stdout)

    def test_the_page_says_so(self):
        self.assertEqual(page()[1], table(), "renew it: " + __doc__.splitlines()[-1])

    # The controls: a row that is wrong is found.
    def test_a_misspelt_member_is_found(self):
        row = self.row("create-db-snapshot")
        row.body = row.body.replace("DBSnapshotIdentifier:", "DBSnapshotIdentifer:")
        told = self.rbx("validate", self.file(row), expect=WRONG)
        self.assertIn("did you mean 'DBSnapshotIdentifier'?", told.stdout + told.stderr)
        with self.assertRaises(AssertionError):
            self.carry_out(row)

    def test_a_misspelt_result_is_found(self):
        row = self.row("create-db-snapshot")
        row.body = row.body.replace("self.DBSnapshot.Status", "self.DBSnapshot.State")
        self.rbx("validate", self.file(row), expect=WRONG)

    def test_another_result_is_found(self):
        row = self.row("create-db-snapshot")
        row.body = row.body.replace("'creating'", "'available'")
        self.rbx("validate", self.file(row))
        self.rbx("run", self.file(row), expect=FAILED)
        with self.assertRaises(AssertionError):
            self.carry_out(row)


def main():
    if sys.argv[1:] != ["--write"]:
        unittest.main()
    before, _, after = page()
    with open(PAGE, "w", encoding="utf-8") as f:
        f.write(before + FIRST + table() + LAST + after)


if __name__ == "__main__":
    main()
