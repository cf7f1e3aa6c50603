"""What tests/count makes of a log: nothing failed may be lost in it."""
import importlib.machinery
import importlib.util
import os
import unittest

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../count")
loader = importlib.machinery.SourceFileLoader("count_command", path)
count = importlib.util.module_from_spec(importlib.util.spec_from_loader("count_command", loader))
loader.exec_module(count)


class Count(unittest.TestCase):
    def check(self, want, result, stdout=""):
        passed, failed, skipped = count.count({"name": "x", "result": result, "stdout": stdout})
        self.assertEqual((passed, len(failed), skipped), want)

    def test_parts_are_counted(self):
        self.check((2, 1, 1), "FAIL", "1..4\nok 1 - a\nnot ok 2 - b\nok 3\nok 4 - d # SKIP no strace\n")
        self.check((225, 0, 0), "OK", "reading\n225 passed, 0 failed\n")
        self.check((3, 2, 0), "FAIL", "3 passed, 2 failed\n")
        self.check((3, 2, 0), "OK", "3 passed, 2 failed\n")

    def test_a_known_miss_is_neither(self):
        self.check((3, 0, 2), "OK", "a: other text (known)\nb: (known) but\nmore (known)\n3 passed, 2 failed\n")
        self.check((3, 1, 1), "FAIL", "a: other text (known)\nb: other text\n3 passed, 2 failed\n")

    def test_a_program_is_one(self):
        self.check((1, 0, 0), "OK", "all is well\n")
        self.check((0, 1, 0), "FAIL")
        self.check((0, 0, 1), "SKIP")

    def test_a_crash_after_good_parts_fails(self):
        self.check((1, 1, 0), "ERROR", "1..2\nok 1 - a\n")
        self.check((2, 1, 0), "TIMEOUT", "1..2\nok 1 - a\nok 2 - b\n")


if __name__ == "__main__":
    unittest.main()
