"""Stands before moto: verifies the signature, does what the script says, and writes each effect into the ledger."""
import datetime
import hashlib
import http.client
import re
import urllib.parse
from xml.sax.saxutils import escape

import sigv4
import web

HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "host", "content-length", "expect"}
STATUS = {"RequestTimeTooSkewed": 403, "AuthorizationHeaderMalformed": 400, "InvalidRequest": 400,
          "XAmzContentSHA256Mismatch": 400, "IncompleteSignature": 400}


class Handler(web.Handler):
    service = "s3"

    def op_of(self):
        path, _, query = self.path.partition("?")
        names = {p.partition("=")[0] for p in query.split("&")} if query else set()
        self.key = urllib.parse.unquote(path.lstrip("/"))
        bucket = "/" not in self.key.rstrip("/")
        if self.command == "GET":
            if bucket and "uploads" in names:
                return "ListMultipartUploads"
            return "ListParts" if "uploadId" in names else "ListObjects" if bucket and self.key else "GetObject" if self.key else "ListBuckets"
        if self.command == "HEAD":
            return "HeadBucket" if bucket else "HeadObject"
        if self.command == "POST":
            return ("CreateMultipartUpload" if "uploads" in names else "CompleteMultipartUpload" if "uploadId" in names
                    else "DeleteObjects" if "delete" in names else "Post")
        if self.command == "DELETE":
            return "AbortMultipartUpload" if "uploadId" in names else "DeleteBucket" if bucket else "DeleteObject"
        if self.command == "PUT":
            if "partNumber" in names:
                return "UploadPart"
            return "CreateBucket" if bucket else "CopyObject" if "x-amz-copy-source" in self.headers else "PutObject"
        return self.command

    def refuse(self, status, code, message):
        text = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>%s</Code><Message>%s</Message><RequestId>%s</RequestId></Error>'
        return web.Reply(status, text % (code, escape(message), self.request_id),
                         [("x-amz-request-id", self.request_id)], "application/xml")

    def throttled(self, seconds):
        return self.refuse(503, "SlowDown", "Please reduce your request rate.")

    def admit(self, now):
        verifier = sigv4.Verifier(self.server.keys, "s3", None, s3=True)
        try:
            verifier.verify(self.command, self.path, self.headers.items(), self.body, now)
        except sigv4.Refused as e:
            return self.refuse(STATUS.get(e.code, 403), e.code, e.message)
        return None

    def act(self, op, fault):
        if "region" in fault and "/%s/s3/" % fault["region"] not in self.headers.get("Authorization", ""):
            reply = self.refuse(301, "PermanentRedirect", "The bucket you are attempting to access must be addressed elsewhere.")
            reply.headers.append(("x-amz-bucket-region", fault["region"]))
            return reply
        headers = {}
        for name, value in self.headers.items():
            if name.lower() not in HOP:
                headers[name] = value
        headers["Host"] = self.headers.get("Host", "s3.lab")
        headers["Content-Length"] = str(len(self.body))
        link = http.client.HTTPConnection(*self.server.behind, timeout=60)
        try:
            link.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                link.putheader(name, value)
            link.endheaders(self.body)
            got = link.getresponse()
            body = got.read()
        except OSError as e:
            return self.refuse(503, "ServiceUnavailable", "moto does not answer: %s" % e)
        finally:
            link.close()
        if op == "CreateMultipartUpload" and got.status < 300:
            self._begun()[self._upload(body)] = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        if op == "ListMultipartUploads":
            body = re.sub(rb"<Upload>.*?</Upload>", self._dated, body, flags=re.S)
        kept = [(n, v) for n, v in got.getheaders()
                if n.lower() not in HOP | {"date", "server", "x-amzn-requestid", "x-amz-request-id"}]
        kept.append(("x-amz-request-id", self.request_id))
        if self.command == "HEAD" and got.getheader("Content-Length"):
            kept.append(("Content-Length", got.getheader("Content-Length")))
        if self.command in ("PUT", "POST", "DELETE") and got.status < 300:
            self.server.ledger.write("s3", op, request=self.request_id, body=self.body,
                                     key=self.headers.get("If-None-Match"), object=self.key,
                                     query=self.path.partition("?")[2], size=len(self.body),
                                     upload=self._upload(body))
        if "etag" in fault:
            kept = [(n, v) for n, v in kept if n.lower() != "etag"] + [("ETag", '"%s"' % fault["etag"])]
        kind = got.getheader("Content-Type") or "application/xml"
        kept = [(n, v) for n, v in kept if n.lower() != "content-type"]
        return web.Reply(got.status, body, kept, kind)

    def _begun(self):
        return self.server.__dict__.setdefault("begun", {})

    def _dated(self, upload):
        """moto says of every upload that it was begun in 2010."""
        text = upload.group(0).decode()
        at = self._begun().get(re.search("<UploadId>([^<]+)", text).group(1))
        return (re.sub("<Initiated>[^<]*", "<Initiated>" + at, text) if at else text).encode()

    def _upload(self, body):
        found = re.search(r"uploadId=([^&]+)", self.path) or re.search(r"<UploadId>([^<]+)</UploadId>", body.decode("latin-1"))
        return found.group(1) if found else None


def sign(keys, method, host, path, body=b"", query="", region="us-west-1", service="s3", now=None, more=()):
    """Headers for the lab's own requests (making the bucket, looking in): signed by the verifier's own rules."""
    now = now or datetime.datetime.now(datetime.timezone.utc)
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    access, secret = next(iter(keys.items()))
    digest = hashlib.sha256(body).hexdigest()
    headers = [("Host", host), ("X-Amz-Content-Sha256", digest), ("X-Amz-Date", stamp)] + list(more)
    signed = sorted(n.lower() for n, _ in headers)
    scope = "%s/%s/%s/aws4_request" % (stamp[:8], region, service)
    target = path + ("?" + query if query else "")
    canonical = sigv4.canonical_request(method, target, headers, signed, digest, service == "s3")
    value = "%s Credential=%s/%s, SignedHeaders=%s, Signature=%s" % (
        sigv4.ALGORITHM, access, scope, ";".join(signed),
        sigv4.signature(secret, scope, sigv4.string_to_sign(stamp, scope, canonical)))
    return dict(headers, Authorization=value)
