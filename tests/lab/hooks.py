"""What chat and pager services look like from outside: Slack, Teams, PagerDuty, any webhook. All is kept in the ledger."""
import json

import web


class Handler(web.Handler):
    service = "webhook"

    def op_of(self):
        path = self.path.partition("?")[0]
        if path.startswith("/services/"):
            return "slack"
        if path == "/v2/enqueue":
            return "pagerduty"
        if path.startswith(("/webhookb2/", "/workflows/")):
            return "teams"
        return "post" if self.command != "GET" else "get"

    def act(self, op, fault):
        if op == "get":
            return web.Reply(200, '{"ok":true}')
        try:
            data = json.loads(self.body) if self.body else None
        except ValueError:
            data = None
        if op == "slack" and not (isinstance(data, dict) and (data.get("text") or data.get("blocks"))):
            return web.Reply(400, "invalid_payload" if data is None else "no_text", kind="text/html")
        if op == "pagerduty":
            problem = self.pager_problem(data)
            if problem:
                return web.Reply(400, json.dumps({"status": "invalid event", "message": "Event object is invalid",
                                                  "errors": [problem]}))
            data.setdefault("dedup_key", self.request_id.replace("-", ""))
        key = self.headers.get("Idempotency-Key") or (data.get("dedup_key") if isinstance(data, dict) else None)
        self.server.ledger.write("webhook", op, request=self.request_id, body=self.body, key=key, method=self.command,
                                 path=self.path, data=data if data is not None else self.body.decode("utf-8", "replace"))
        if op == "slack":
            return web.Reply(200, "ok", kind="text/html")
        if op == "pagerduty":
            return web.Reply(202, json.dumps({"status": "success", "message": "Event processed", "dedup_key": data["dedup_key"]}))
        if op == "teams":
            return web.Reply(202 if self.path.startswith("/workflows/") else 200, "1", kind="text/plain")
        return web.Reply(200, json.dumps({"kept": self.request_id}))

    @staticmethod
    def pager_problem(data):
        if not isinstance(data, dict):
            return "not an object"
        if len(str(data.get("routing_key", ""))) != 32:
            return "'routing_key' must be 32 characters"
        if data.get("event_action") not in ("trigger", "acknowledge", "resolve"):
            return "'event_action' is missing or wrong"
        if data["event_action"] != "trigger":
            return None if data.get("dedup_key") else "'dedup_key' is missing"
        payload = data.get("payload") or {}
        for name in ("summary", "source", "severity"):
            if not payload.get(name):
                return "'payload.%s' is missing or blank" % name
        if payload["severity"] not in ("critical", "error", "warning", "info"):
            return "'payload.severity' is wrong"
        return None if len(payload["summary"]) <= 1024 else "'payload.summary' is too long"
