"""Verifies AWS Signature Version 4, from the rules alone: nothing here is shared with the signer under test."""
import datetime
import hashlib
import hmac
import re
import urllib.parse

UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
ALGORITHM = "AWS4-HMAC-SHA256"


class Refused(Exception):
    """A request whose signature does not hold: an AWS error code and its words."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code, self.message = code, message


def encode(raw, keep=b""):
    return "".join(chr(b) if b in UNRESERVED or b in keep else "%%%02X" % b for b in raw)


def canonical_path(path, s3, normalize=True):
    """S3 signs the path as it travels; every other service normalises it and encodes what travels once more."""
    raw = path.encode("utf-8", "surrogateescape")
    if s3:
        return encode(urllib.parse.unquote_to_bytes(raw), b"/") or "/"
    if normalize:
        out = []
        for part in raw.split(b"/"):
            if part == b"..":
                del out[-1:]
            elif part not in (b"", b"."):
                out.append(part)
        tail = b"/" if out and raw.endswith((b"/", b"/.", b"/..")) else b""
        raw = b"/" + b"/".join(out) + tail
    return encode(raw, b"/") or "/"


def canonical_query(query, without=()):
    pairs = []
    for item in query.split("&") if query else []:
        name, _, value = item.partition("=")
        name, value = (encode(urllib.parse.unquote_to_bytes(x)) for x in (name, value))
        if name not in without:
            pairs.append((name, value))
    return "&".join("%s=%s" % p for p in sorted(pairs))


def canonical_request(method, target, headers, signed, payload, s3=False, normalize=True, without=()):
    """headers: list of (name, value) as received; signed: names in lower case; payload: hex digest or its stand-in."""
    path, _, query = target.partition("?")
    lines = []
    for name in signed:
        values = [re.sub(r" +", " ", v.strip()) for n, v in headers if n.lower() == name]
        if not values:
            raise Refused("SignatureDoesNotMatch", "the signed header '%s' is not there" % name)
        lines.append("%s:%s\n" % (name, ",".join(values)))
    return "\n".join([method, canonical_path(path, s3, normalize), canonical_query(query, without),
                      "".join(lines), ";".join(signed), payload])


def string_to_sign(timestamp, scope, canonical):
    return "\n".join([ALGORITHM, timestamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])


def signature(secret, scope, text):
    key = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def parse_time(text):
    try:
        return datetime.datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    except (TypeError, ValueError):
        raise Refused("SignatureDoesNotMatch", "the date '%s' of the request is no ISO 8601 basic time" % text)


class Verifier:
    def __init__(self, keys, service, region, s3=False, tolerance=900):
        self.keys, self.service, self.region, self.s3, self.tolerance = keys, service, region, s3, tolerance

    def verify(self, method, target, headers, body, now, normalize=True):
        """Returns the access key; raises Refused. body: bytes, or None where only headers can be looked at."""
        head = {}
        for name, value in headers:
            head.setdefault(name.lower(), value.strip())
        query = dict(urllib.parse.parse_qsl(target.partition("?")[2], keep_blank_values=True))
        if "authorization" in head:
            return self._header(method, target, headers, head, body, now, normalize)
        if "X-Amz-Signature" in query:
            return self._query(method, target, headers, query, body, now, normalize)
        raise Refused("AccessDenied" if self.s3 else "MissingAuthenticationToken", "the request is not signed")

    def _header(self, method, target, headers, head, body, now, normalize):
        words = head["authorization"].split(None, 1)
        if len(words) != 2 or words[0] != ALGORITHM:
            raise Refused("IncompleteSignature", "the authorization is not %s" % ALGORITHM)
        fields = dict(re.findall(r"(\w+)=([^,\s]+)", words[1]))
        for name in ("Credential", "SignedHeaders", "Signature"):
            if name not in fields:
                raise Refused("IncompleteSignature", "Authorization header requires '%s' parameter" % name)
        access, secret, scope = self._credential(fields["Credential"])
        timestamp = head.get("x-amz-date") or head.get("date")
        self._date(timestamp, scope, now)
        payload = head.get("x-amz-content-sha256")
        if payload is None:
            if self.s3:
                raise Refused("InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
            payload = hashlib.sha256(body or b"").hexdigest()
        elif re.fullmatch(r"[0-9a-f]{64}", payload) and body is not None:
            if hashlib.sha256(body).hexdigest() != payload:
                raise Refused("XAmzContentSHA256Mismatch",
                              "The provided 'x-amz-content-sha256' header does not match what was computed.")
        signed = fields["SignedHeaders"].split(";")
        self._signed(signed, head)
        canonical = canonical_request(method, target, headers, signed, payload, self.s3, normalize)
        self._compare(secret, timestamp, scope, canonical, fields["Signature"])
        return access

    def _query(self, method, target, headers, query, body, now, normalize):
        access, secret, scope = self._credential(query.get("X-Amz-Credential", ""))
        timestamp = query.get("X-Amz-Date")
        self._date(timestamp, scope, None)
        age = (now - parse_time(timestamp)).total_seconds()
        if age > int(query.get("X-Amz-Expires", "0")):
            raise Refused("AccessDenied", "Request has expired")
        signed = query.get("X-Amz-SignedHeaders", "").split(";")
        payload = "UNSIGNED-PAYLOAD" if self.s3 else hashlib.sha256(body or b"").hexdigest()
        canonical = canonical_request(method, target, headers, signed, payload, self.s3, normalize,
                                      without=("X-Amz-Signature",))
        self._compare(secret, timestamp, scope, canonical, query["X-Amz-Signature"])
        return access

    def _credential(self, text):
        access, _, scope = text.partition("/")
        parts = scope.split("/")
        if len(parts) != 4 or parts[3] != "aws4_request":
            raise Refused("IncompleteSignature", "the credential '%s' has no whole scope" % text)
        if access not in self.keys:
            raise Refused("InvalidAccessKeyId" if self.s3 else "InvalidClientTokenId",
                          "The security token included in the request is invalid.")
        if parts[2] != self.service:
            raise Refused("SignatureDoesNotMatch",
                          "Credential should be scoped to correct service: '%s'." % self.service)
        if self.region and parts[1] != self.region:
            raise Refused("AuthorizationHeaderMalformed" if self.s3 else "SignatureDoesNotMatch",
                          "Credential should be scoped to a valid region, not '%s'." % parts[1])
        return access, self.keys[access], scope

    def _date(self, timestamp, scope, now):
        when = parse_time(timestamp)
        if scope.split("/")[0] != timestamp[:8]:
            raise Refused("SignatureDoesNotMatch", "Date in Credential scope does not match the request's date")
        if now is not None and abs((now - when).total_seconds()) > self.tolerance:
            if self.s3:
                raise Refused("RequestTimeTooSkewed",
                              "The difference between the request time and the current time is too large.")
            raise Refused("SignatureDoesNotMatch", "Signature expired: %s is now earlier than %s (%s - 15 min.)" % (
                timestamp, (now - datetime.timedelta(minutes=15)).strftime("%Y%m%dT%H%M%SZ"),
                now.strftime("%Y%m%dT%H%M%SZ")))

    def _signed(self, signed, head):
        if signed != sorted(signed) or "host" not in signed:
            raise Refused("SignatureDoesNotMatch", "'host' must be a signed header, and the names must be sorted")
        for name in head:
            if name.startswith("x-amz-") and name not in signed and name != "x-amz-security-token":
                raise Refused("AccessDenied", "There were headers present in the request which were not signed: " + name)

    @staticmethod
    def _compare(secret, timestamp, scope, canonical, given):
        text = string_to_sign(timestamp, scope, canonical)
        if not hmac.compare_digest(signature(secret, scope, text), given):
            raise Refused("SignatureDoesNotMatch",
                          "The request signature we calculated does not match the signature you provided.\n\n"
                          "The Canonical String for this request should have been\n'%s'\n\n"
                          "The String-to-Sign should have been\n'%s'\n" % (canonical, text))
