"""The wire of AWS as botocore's models tell it, read and written by moto's parser and serializer: a reading of the protocols of its own."""
import functools
import re
import urllib.parse
import warnings

import botocore.loaders
from moto.core.model import ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.serialize import SERIALIZERS, SerializationContext
from werkzeug.datastructures import Headers, MultiDict

warnings.filterwarnings("ignore", module="moto")     # of errors that are in no model, as most common ones are

# The services that sign with a name that is not theirs, or not theirs alone.
SCOPES = {"monitoring": ["cloudwatch"], "elasticloadbalancing": ["elbv2", "elb"], "states": ["stepfunctions"], "elasticfilesystem": ["efs"],
          "awsssoportal": ["sso"], "tagging": ["resourcegroupstaggingapi"], "ses": ["sesv2", "ses"], "apigateway": ["apigateway", "apigatewayv2"]}


class Error(Exception):
    """An error of a service. status: instead of the model's; more: other members of the error's shape."""

    def __init__(self, code, message, status=None, **more):
        super().__init__(message)
        self.code, self.message, self.status = code, message, status
        self.__dict__.update(more)


@functools.lru_cache(None)
def model(service):
    return ServiceModel(botocore.loaders.Loader().load_service_model(service, "service-2"), service)


def protocol(service, kind):
    """The protocol of a request with this Content-Type, of those that the service has."""
    known = model(service).metadata.get("protocols") or [model(service).metadata["protocol"]]
    if kind.startswith("application/x-amz-json") and "json" in known:
        return "json"
    if kind.startswith("application/x-www-form-urlencoded") and "query" in known:
        return "query"
    return next((p for p in known if p in PROTOCOL_PARSERS), None)


@functools.lru_cache(None)
def routes(service):
    """Of a REST service: (method, pattern, labels, names that the query must have, operation), the more literal first."""
    out = []
    for name in model(service).operation_names:
        http = model(service).operation_model(name).http
        path, _, query = http["requestUri"].partition("?")
        pattern, literal, labels = "", 0, []
        for part in re.split(r"(\{[^}]+\})", path.rstrip("/")):
            if part.startswith("{"):
                labels.append(part[1:-1].rstrip("+"))
                pattern += "(.+)" if part.endswith("+}") else "([^/]+)"
            else:
                pattern += re.escape(part)
                literal += len(part)
        needs = [q.partition("=")[::2] for q in query.split("&")] if query else []
        out.append((-len(needs), -literal, http["method"], re.compile(pattern + "/?"), labels, needs, name))
    return [r[2:] for r in sorted(out, key=lambda r: r[:2])]


def route(service, method, path, query):
    for want, pattern, labels, needs, name in routes(service):
        found = pattern.fullmatch(path)
        if found and want == method and all(n in query and v in ("", query[n]) for n, v in needs):
            return name, dict(zip(labels, found.groups()))
    return None, {}


class Request:
    """One request as its service's model reads it. name: the operation, or None; raises Error where there is none."""

    def __init__(self, service, method, target, headers, body):
        self.service, self.method, self.body = service, method, body
        self.path, _, query = target.partition("?")
        self.headers = Headers(headers)
        self.protocol = protocol(service, self.headers.get("Content-Type", ""))
        self.query = [n for n, _ in urllib.parse.parse_qsl(query, keep_blank_values=True)]
        self.values = MultiDict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        self.labels, self.name = {}, None
        if self.protocol in ("query", "ec2"):
            self.values.update(urllib.parse.parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
            self.name = self.values.get("Action")
        elif self.protocol == "json":
            prefix, _, self.name = self.headers.get("X-Amz-Target", "").rpartition(".")
            if prefix != model(service).metadata["targetPrefix"]:
                self.name = None
        elif self.protocol:
            self.name, self.labels = route(service, method, self.path, self.values)
        if self.name not in model(service).operation_names:
            self.name = None

    @property
    def sure(self):
        """Whether it is this service's, and no other's that signs with the same name."""
        return self.name and self.values.get("Version", model(self.service).metadata["apiVersion"]) == model(self.service).metadata["apiVersion"]

    @property
    def operation(self):
        """Some operation in any case: an error is written by way of one."""
        return model(self.service).operation_model(self.name or model(self.service).operation_names[0])

    def params(self):
        return PROTOCOL_PARSERS[self.protocol](self.operation).parse({
            "body": self.body, "headers": self.headers, "method": self.method, "url_params": self.labels,
            "url_path": self.path, "values": self.values})

    def write(self, result, request_id):
        """Status, headers and body of an answer, or of an Error."""
        serializer = SERIALIZERS[self.protocol](self.operation, SerializationContext(request_id), value_picker=pick)
        out = serializer.serialize(result)
        status = getattr(result, "status", None) or self.status(result) or out["status_code"]
        body = out["body"]
        return status, out["headers"], body.encode() if isinstance(body, str) else body or b""


    def status(self, result):
        """The member of a result that is the HTTP status itself, if the operation has one."""
        shape = self.operation.output_shape
        if isinstance(result, dict) and shape is not None:
            for name, member in shape.members.items():
                if member.serialization.get("location") == "statusCode":
                    return result.get(name)
        return None


def pick(context):
    if isinstance(context.obj, dict):
        return context.obj.get(context.key)
    return getattr(context.obj, context.key, None)
