"""notify as each service documents its requests, and what is told where one refuses."""
import email
import email.policy
import json
import os
import unittest

import peers
import world
from peers import answer
from world import DONE, WRONG


class Told(world.OneStep):
    in_lab = False
    net = ""

    def serve(self, peer):
        self.addCleanup(peer.close)
        return peer

    def tell(self, words, text="hello", keys="retry: {attempts: 2, delay: 10ms}", top="", **env):
        """One notify step; what was printed. A notify that fails fails no run."""
        lines = "notify:\n  text: |-\n    %s\n  %s\n%s" % (text.replace("\n", "\n    "), words.strip().replace("\n", "\n  "), keys)
        book = "rbx: 1\nname: alarm\n%s\nsteps:\n  - id: s\n    %s\n" % (top, lines.replace("\n", "\n    "))
        done = self.rbx("run", self.write(book), expect=None, **env)
        self.assertEqual(done.returncode, DONE, done.stdout + done.stderr)
        return done.stdout

    def outputs(self):
        return self.steps()["s"]["outputs"]

    def body(self, peer, number=-1):
        return json.loads(peer.heard[number].split(b"\r\n\r\n", 1)[1])

    # Mail

    def mail(self, replies=(), sender="rbx@lab.example", recipients="[a@lab.example]", subject="Hi", caps=(b"8BITMIME",), more="", **how):
        peer = self.serve(peers.smtp(dict(replies), caps))
        how.setdefault("top", "secrets: {pw: {env: PW}}")
        said = self.tell("to: email\nsmtp: '%s'\nsender: '%s'\nrecipients: %s\nsubject: '%s'\n%s" % (
            peer.address, sender, recipients, subject, more), PW="canary-word", **how)
        return peer, said

    def message(self, peer):
        raw = peer.heard[-1][-1]
        self.assertLessEqual(max(map(len, raw.split(b"\r\n"))), 78)
        raw.decode("ascii")
        return email.message_from_bytes(raw, policy=email.policy.default)

    def test_mail_beyond_ascii(self):
        subject = "Größe " * 30 + "日本語" * 20
        peer, _ = self.mail(sender="Opß Team <ops@lab.example>", subject=subject, text="Grüße\n.\nEnde" + "x" * 200,
                            recipients='["\\"Béla, Bob\\" <b@lab.example>", "On Call <c@lab.example>", d@lab.example]')
        message = self.message(peer)
        self.assertEqual(message["subject"], subject)
        self.assertEqual([(a.display_name, a.addr_spec) for a in message["from"].addresses], [("Opß Team", "ops@lab.example")])
        self.assertEqual([(a.display_name, a.addr_spec) for a in message["to"].addresses],
                         [("Béla, Bob", "b@lab.example"), ("On Call", "c@lab.example"), ("", "d@lab.example")])
        self.assertEqual(message.get_content().rstrip("\n"), "Grüße\n.\nEnde" + "x" * 200)
        self.assertEqual(message["auto-submitted"], "auto-generated")
        self.assertRegex(message["message-id"], "^<[a-z2-7]{52}@lab.example>$")
        self.assertIn(b"MAIL FROM:<ops@lab.example>\r\n", peer.heard[0])
        self.assertIn(b"RCPT TO:<b@lab.example>\r\n", peer.heard[0])

    def test_addresses_that_are_none(self):
        for sender in ("rbx", "a b@c", "üser@lab.example", "Name <x>", "a@b@c"):
            with self.subTest(sender):
                peer, said = self.mail(sender=sender)
                self.assertRegex(said, "'.*' is no mail address|beyond ASCII")
                self.assertEqual(peer.heard, [])

    def test_one_recipient_that_is_refused_keeps_the_mail_from_nobody(self):
        peer, said = self.mail({"RCPT TO:<gone@lab.example>": [b"550 5.1.1 no such user"]}, recipients="[gone@lab.example, a@lab.example]")
        self.assertIn("gone@lab.example is refused: 550 5.1.1 no such user", self.rbx("logs", "last").stdout + said)
        self.assertIn(b"RCPT TO:<a@lab.example>\r\n", peer.heard[-1])
        self.assertEqual([a.addr_spec for a in self.message(peer)["to"].addresses], ["a@lab.example"])
        self.assertEqual(self.outputs()["refused"], ["gone@lab.example"])

    def test_the_only_recipient_is_refused(self):
        peer, said = self.mail({"RCPT": [b"550 5.1.1 no such user"]})
        self.assertIn("550 to a@lab.example: 5.1.1 no such user: nobody got the mail", said)
        self.assertEqual(len(peer.heard), 1)

    def test_what_passes_is_tried_again(self):
        for key, reply in (("RCPT", b"451 4.7.1 greylisted"), ("END", b"451 4.3.0 later"), ("BANNER", b"421 too busy"), ("MAIL", b"452 4.3.1 full")):
            with self.subTest(key):
                good = b"220 mail.lab" if key == "BANNER" else b"250 ok"
                peer, said = self.mail({key: [reply, good]})
                self.assertIn(reply.decode()[4:], said)
                self.assertEqual((len(peer.heard), self.outputs()["status"]), (2, 250))

    def test_what_does_not_pass_is_not(self):
        for key, reply in (("END", b"554 5.7.1 spam"), ("BANNER", b"554 go away"), ("MAIL", b"552 5.3.4 too big")):
            with self.subTest(key):
                peer, said = self.mail({key: [reply]})
                self.assertIn("the mail server answers " + reply.decode()[:3], said)
                self.assertEqual(len(peer.heard), 1)

    def test_a_login_that_is_refused(self):
        peer, said = self.mail({"AUTH": [b"535 5.7.8 no"]}, caps=(b"AUTH PLAIN",), more="user: rbx\npassword: '${{ secrets.pw }}'")
        self.assertIn("does not accept the user or the password", said)
        self.assertNotIn("canary-word", said)

    # Chat and alarms

    def test_teams(self):
        peer = self.serve(peers.web(answer("202 Accepted")))
        self.tell("to: teams\nwebhook: '${{ secrets.hook }}'\nsubject: Failover", "one\ntwo\n\nthree", top="secrets: {hook: {env: HOOK}}",
                  HOOK="http://%s/workflows/x" % peer.address)
        card = self.body(peer)["attachments"][0]
        self.assertEqual(card["contentType"], "application/vnd.microsoft.card.adaptive")
        self.assertEqual([b["text"] for b in card["content"]["body"]], ["Failover", "one\n\ntwo\n\nthree"])

    def test_teams_stays_below_what_is_refused(self):
        peer = self.serve(peers.web(answer("202 Accepted")))
        self.tell("to: teams\nwebhook: '${{ secrets.hook }}'", "ü\"" * 20000, top="secrets: {hook: {env: HOOK}}", HOOK="http://%s/x" % peer.address)
        self.assertLess(len(peer.heard[0]), 28 * 1024)
        self.assertTrue(self.body(peer)["attachments"][0]["content"]["body"][1]["text"].endswith("…"))

    def test_teams_that_took_it_and_lost_it(self):
        lost = answer("200 OK", b"Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId")
        peer = self.serve(peers.web(lost, answer("200 OK", b"1")))
        said = self.tell("to: teams\nwebhook: '${{ secrets.hook }}'", top="secrets: {hook: {env: HOOK}}", HOOK="http://%s/x" % peer.address)
        self.assertIn("could not deliver it", said)
        self.assertEqual(len(peer.heard), 2)

    def pagerduty(self, peer, text="it burns", more=""):
        return self.tell("to: pagerduty\nrouting_key: '${{ secrets.key }}'\n" + more, text, top="secrets: {key: {env: KEY}}",
                         KEY="0123456789abcdef0123456789abcdef", RBX_PAGERDUTY_URL="http://%s/v2/enqueue" % peer.address)

    def test_pagerduty(self):
        peer = self.serve(peers.web(answer("202 Accepted", b'{"status":"success","message":"Event processed","dedup_key":"rbx-1"}')))
        self.pagerduty(peer, "ü" * 600 + "end", "severity: warning")
        event = self.body(peer)
        self.assertEqual((event["event_action"], event["payload"]["severity"], event["payload"]["source"]), ("trigger", "warning", "rbx alarm"))
        self.assertEqual(event["dedup_key"], "rbx-" + self.last())
        self.assertEqual(event["payload"]["summary"], "ü" * 510 + "…")
        self.assertEqual(event["payload"]["custom_details"], {"run": self.last(), "playbook": "alarm", "text": "ü" * 600 + "end"})
        self.assertEqual(self.outputs()["id"], "rbx-1")

    def test_pagerduty_that_refuses_says_why(self):
        peer = self.serve(peers.web(answer("400 Bad Request", b'{"status":"invalid event","errors":["Length of routing_key is wrong"]}')))
        self.assertRegex(self.pagerduty(peer), "it answers 400: .*Length of routing_key")
        self.assertEqual(len(peer.heard), 1)
        peer = self.serve(peers.web(answer("429 Too Many Requests"), answer("202 Accepted", b"{}")))
        self.pagerduty(peer)
        self.assertEqual(len(peer.heard), 2)

    def test_slack_that_refuses_says_why(self):
        for status, body in (("404 Not Found", b"no_service"), ("410 Gone", b"channel_is_archived"), ("403 Forbidden", b"action_prohibited")):
            with self.subTest(status):
                peer = self.serve(peers.web(answer(status, body)))
                said = self.tell("to: slack\nwebhook: '${{ secrets.hook }}'", top="secrets: {hook: {env: HOOK}}",
                                 HOOK="http://%s/services/T/B/token-of-mine" % peer.address)
                self.assertIn(body.decode(), said)
                self.assertNotIn("token-of-mine", said)
                self.assertEqual(len(peer.heard), 1)

    def test_a_webhook_with_headers_of_its_own(self):
        peer = self.serve(peers.web(answer()))
        self.tell("to: webhook\nurl: '${{ secrets.hook }}'\nheaders: {content-type: application/vnd.x+json, Authorization: 'Bearer ${{ secrets.hook }}'}",
                  top="secrets: {hook: {env: HOOK}}", HOOK="http://%s/hook" % peer.address)
        head = peer.heard[0].split(b"\r\n\r\n")[0].lower()
        self.assertEqual(head.count(b"content-type:"), 1)
        self.assertEqual(self.body(peer), {"run": self.last(), "playbook": "alarm", "text": "hello"})
        peer = self.serve(peers.web(answer("302 Found", b"", "Location: https://login.example/")))
        said = self.tell("to: webhook\nurl: '${{ secrets.hook }}'", top="secrets: {hook: {env: HOOK}}", HOOK="http://%s/hook" % peer.address)
        self.assertIn("302, a redirect to 'https://login.example/'", said)


if __name__ == "__main__":
    unittest.main()
