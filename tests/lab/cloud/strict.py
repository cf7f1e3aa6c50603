"""Refuses what AWS's own parsers would silently pass over: names that no model knows, values of another type, members that are missing.
A client that misspells a parameter on the wire is to learn of it here."""
import base64
import binascii
import json
import xml.etree.ElementTree as xml

import botocore.serialize
import botocore.validate
from moto.core.parse import RequestParserError

from cloud.wire import Error

SIGNED = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Security-Token")
CODES = {"json": "ValidationException", "rest-json": "ValidationException", "query": "ValidationError", "ec2": "InvalidParameter", "rest-xml": "InvalidArgument"}
JSON = {"string": str, "integer": int, "long": int, "boolean": bool, "float": (int, float), "double": (int, float), "blob": str, "timestamp": (int, float),
        "list": list, "map": dict, "structure": dict}


def read(request):
    """The parameters of a request of wire; raises Error."""
    try:
        params = request.params()
    except (ValueError, TypeError, AttributeError, KeyError, RequestParserError) as e:
        raise Error(CODES[request.protocol], "The request cannot be read: %s" % e, 400)
    check(request, params)
    return params


def check(request, params):
    def refuse(message):
        raise Error(CODES[request.protocol], "The request is not as the model has it: " + message, 400)
    shape = request.operation.input_shape
    if shape is None:
        return
    if request.protocol in ("query", "ec2"):
        strange = form_names(request, params)
    else:
        strange = query_names(request, shape)
        body = shape.members.get(shape.serialization.get("payload")) or shape
        if request.body and body.type_name == "structure":
            try:
                look = json_names if request.protocol in ("json", "rest-json") else xml_names
                strange += look(request, body)
            except (ValueError, xml.ParseError) as e:
                refuse("the body cannot be read: %s" % e)
    if strange:
        refuse(", ".join(strange))
    report = botocore.validate.ParamValidator().validate(params, shape)
    if report.has_errors():
        refuse(report.generate_report())


def form_names(request, params):
    """Written once more by botocore, the parameters must have the names that came."""
    again = botocore.serialize.create_serializer(request.protocol, include_validation=False).serialize_to_request(params, request.operation)["body"]
    strange = sorted(set(request.values) - set(again) - set(SIGNED))
    if request.values.get("Version") != again["Version"]:
        strange.append("Version=%s" % request.values.get("Version"))
    return strange


def query_names(request, shape):
    members = list(shape.members.values())
    if any(m.serialization.get("location") == "querystring" and m.type_name == "map" for m in members):
        return []
    known = {m.serialization.get("name", n) for n, m in shape.members.items() if m.serialization.get("location") == "querystring"}
    fixed = {q.partition("=")[0] for q in request.operation.http["requestUri"].partition("?")[2].split("&")}
    return sorted("?" + n for n in set(request.query) - known - fixed - set(SIGNED))


def in_body(shape):
    return {m.serialization.get("name", n): m for n, m in shape.members.items() if "location" not in m.serialization}


def json_names(request, shape):
    out = []

    def walk(shape, value, path):
        if getattr(shape, "is_document_type", False) or value is None:
            return
        if not isinstance(value, JSON.get(shape.type_name, object)) or (isinstance(value, bool) and shape.type_name != "boolean"):
            if shape.type_name != "timestamp" or not isinstance(value, str) or not shape.serialization.get("timestampFormat"):
                out.append("%s is %s, not %s" % (path, type(value).__name__, shape.type_name))
        elif shape.type_name == "structure":
            members = in_body(shape)
            for name, part in value.items():
                if name in members:
                    walk(members[name], part, path + "." + name)
                else:
                    out.append(path + "." + name)
        elif shape.type_name == "list":
            for n, part in enumerate(value):
                walk(shape.member, part, "%s[%d]" % (path, n))
        elif shape.type_name == "map":
            for name, part in value.items():
                walk(shape.value, part, "%s[%s]" % (path, name))
        elif shape.type_name == "blob":
            try:
                base64.b64decode(value, validate=True)
            except binascii.Error:
                out.append(path + " is no base64")
    walk(shape, json.loads(request.body), "")
    return out


def xml_names(request, shape):
    out, root = [], xml.fromstring(request.body)
    input_ = request.operation.input_shape
    wanted = (shape if shape is not input_ else input_).serialization.get("name") or shape.name
    space = shape.serialization.get("xmlNamespace", {}).get("uri") or request.operation.metadata.get("xmlNamespace")
    space = space["uri"] if isinstance(space, dict) else space
    if root.tag != ("{%s}%s" % (space, wanted) if space else wanted):
        out.append("the root %s instead of {%s}%s" % (root.tag, space, wanted))

    def bare(node):
        return node.tag.rpartition("}")[2]

    def walk(shape, node, path):
        if shape.type_name == "structure":
            members = {}
            for name, member in in_body(shape).items():
                flat = member.type_name == "list" and member.serialization.get("flattened")
                members[(member.member.serialization.get("name") or name) if flat else name] = member.member if flat else member
            for part in node:
                if bare(part) in members:
                    walk(members[bare(part)], part, path + "/" + bare(part))
                else:
                    out.append(path + "/" + bare(part))
        elif shape.type_name == "list":
            name = shape.member.serialization.get("name", "member")
            for part in node:
                if bare(part) == name:
                    walk(shape.member, part, path + "/" + name)
                else:
                    out.append(path + "/" + bare(part))
    walk(shape, root, "")
    return out
