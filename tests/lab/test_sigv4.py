"""The verifier of signatures against the official cases, and as a negative control against spoilt ones."""
import datetime
import json
import os
import unittest

import sigv4

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.environ.get("RBX_CONFORMANCE") or os.path.join(HERE, "../../../shared/conformance")
FILE = os.path.join(FOLDER, "sigv4/cases.jsonl")


def cases():
    with open(FILE, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def parse(text):
    head, _, body = text.partition("\n\n")
    lines = head.split("\n")
    method, target = lines[0].split(" ", 1)
    headers = []
    for line in lines[1:]:
        if line.startswith((" ", "\t")) and headers:
            headers[-1] = (headers[-1][0], headers[-1][1] + " " + line.strip())
        elif line:
            name, _, value = line.partition(":")
            headers.append((name, value))
    return method, target.rsplit(" HTTP/", 1)[0], headers, body.encode()


@unittest.skipUnless(os.path.exists(FILE), "no official cases here (%s)" % FILE)
class Official(unittest.TestCase):
    def verifier(self, case):
        context = case["context"]
        keys = context["credentials"]
        return sigv4.Verifier({keys["access_key_id"]: keys["secret_access_key"]}, context["service"], context["region"])

    def when(self, case):
        return datetime.datetime.strptime(case["context"]["timestamp"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)

    def verify(self, case, kind, spoil=False):
        method, target, headers, body = parse(case[kind]["signed_request"])
        if spoil:
            good = case[kind]["signature"]
            bad = ("0" if good[0] != "0" else "1") + good[1:]
            target = target.replace(good, bad)
            headers = [(n, v.replace(good, bad)) for n, v in headers]
        return self.verifier(case).verify(method, target, headers, body, self.when(case), case["context"]["normalize"])

    def test_signed_headers_hold(self):
        for case in cases():
            with self.subTest(case=case["id"]):
                self.assertEqual(self.verify(case, "header"), case["context"]["credentials"]["access_key_id"])

    def test_signed_queries_hold(self):
        for case in cases():
            with self.subTest(case=case["id"]):
                if "X-Amz-Security-Token" in case["query"]["signed_request"] and case["context"].get("omit_session_token"):
                    self.skipTest("the token was added after signing")
                self.assertEqual(self.verify(case, "query"), case["context"]["credentials"]["access_key_id"])

    def test_one_wrong_digit_is_refused(self):
        for case in cases():
            with self.subTest(case=case["id"]), self.assertRaises(sigv4.Refused) as caught:
                self.verify(case, "header", spoil=True)
            self.assertEqual(caught.exception.code, "SignatureDoesNotMatch")


class Rules(unittest.TestCase):
    keys = {"AKID": "secret"}
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)

    def sign(self, body=b"x", now=None, secret="secret", extra=()):
        now = now or self.now
        stamp, scope = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d") + "/us-east-1/route53/aws4_request"
        headers = [("Host", "h"), ("X-Amz-Date", stamp)]
        payload = sigv4.hashlib.sha256(body).hexdigest()
        text = sigv4.string_to_sign(stamp, scope, sigv4.canonical_request("POST", "/a", headers, ["host", "x-amz-date"], payload))
        value = "%s Credential=AKID/%s, SignedHeaders=host;x-amz-date, Signature=%s" % (
            sigv4.ALGORITHM, scope, sigv4.signature(secret, scope, text))
        return headers + list(extra) + [("Authorization", value)]

    def verify(self, headers, body=b"x", service="route53", region="us-east-1"):
        return sigv4.Verifier(self.keys, service, region).verify("POST", "/a", headers, body, self.now)

    def refused(self, code, *args, **how):
        with self.assertRaises(sigv4.Refused) as caught:
            self.verify(*args, **how)
        self.assertEqual(caught.exception.code, code)

    def test_good(self):
        self.assertEqual(self.verify(self.sign()), "AKID")

    def test_other_body(self):
        self.refused("SignatureDoesNotMatch", self.sign(), body=b"y")

    def test_other_secret(self):
        self.refused("SignatureDoesNotMatch", self.sign(secret="other"))

    def test_other_service_and_region(self):
        self.refused("SignatureDoesNotMatch", self.sign(), service="s3")
        self.refused("SignatureDoesNotMatch", self.sign(), region="us-west-1")

    def test_too_old(self):
        self.refused("SignatureDoesNotMatch", self.sign(now=self.now - datetime.timedelta(minutes=16)))

    def test_unsigned(self):
        self.refused("MissingAuthenticationToken", [("Host", "h")])

    def test_header_that_is_not_signed(self):
        self.refused("AccessDenied", self.sign(extra=[("X-Amz-Meta-A", "1")]))


if __name__ == "__main__":
    unittest.main()
