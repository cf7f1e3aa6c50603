"""RDS: its parts together, and what they share."""
import urllib.parse

import sigv4
from cloud.globalclusters import GlobalClusters
from cloud.wire import Error
from cloud.world import utcnow


class Rds(GlobalClusters):
    name = "rds"

    def presigned(self, operation, source):
        """A call across regions proves by a signed address that its caller may do this at the source."""
        url = self.p.get("PreSignedUrl")
        if not url:
            raise Error("InvalidParameterValue", "PreSignedUrl is required for a copy from %s" % source, 400)
        parts = urllib.parse.urlsplit(url)
        query = dict(urllib.parse.parse_qsl(parts.query))
        target = (parts.path or "/") + "?" + parts.query
        try:
            access = sigv4.Verifier(self.world.keys, "rds", source).verify("GET", target, [("host", parts.netloc)], b"", utcnow())
            problem = self.world.keys.problem(access, query.get("X-Amz-Security-Token"))
            if problem:
                raise sigv4.Refused(problem, "the token of the address does not hold")
        except sigv4.Refused as e:
            raise Error("InvalidParameterValue", "The PreSignedUrl does not hold: %s" % e.message, 400)
        if query.get("Action") != operation or query.get("DestinationRegion") != self.region:
            raise Error("InvalidParameterValue", "The PreSignedUrl is of %s to %s, not of %s to %s" % (
                query.get("Action"), query.get("DestinationRegion"), operation, self.region), 400)
        told = [n for n in query if n.startswith("Source") and self.p.get(n) != query[n] and n != "SourceRegion"]
        if told:
            raise Error("InvalidParameterValue", "The PreSignedUrl has another %s" % told[0], 400)
