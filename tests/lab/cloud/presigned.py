"""The signed address that a copy from another region brings along: proof that its caller may do this at the source too."""
import urllib.parse

import sigv4
from cloud.wire import Error
from cloud.world import utcnow


def verify(service, url, operation, source):
    """Raises Error unless the address is this operation's, from this source to this region, and signed."""
    def refuse(message):
        raise Error("InvalidParameterValue", message, 400)
    if not url:
        refuse("PreSignedUrl is required for a copy from %s" % source)
    parts = urllib.parse.urlsplit(url)
    query = dict(urllib.parse.parse_qsl(parts.query))
    keys, target = service.world.keys, (parts.path or "/") + "?" + parts.query
    try:
        access = sigv4.Verifier(keys, service.name, source).verify("GET", target, [("host", parts.netloc)], b"", utcnow())
        problem = keys.problem(access, query.get("X-Amz-Security-Token"))
        if problem:
            raise sigv4.Refused(problem, "the token of the address does not hold")
    except sigv4.Refused as e:
        refuse("The PreSignedUrl does not hold: %s" % e.message)
    if query.get("Action") != operation or query.get("DestinationRegion") != service.region:
        refuse("The PreSignedUrl is of %s to %s, not of %s to %s" % (query.get("Action"), query.get("DestinationRegion"), operation, service.region))
    for name, value in query.items():
        if name.startswith("Source") and name != "SourceRegion" and service.p.get(name) != value:
            refuse("The PreSignedUrl has another %s" % name)
