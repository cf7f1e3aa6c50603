"""Route 53's health checks: read, changed against a version, and what the checkers of the regions see."""
import time
import xml.etree.ElementTree as xml
from xml.sax.saxutils import escape

import zone

NS = "https://route53.amazonaws.com/doc/2013-04-01/"
MEMBERS = ("IPAddress", "Port", "Type", "ResourcePath", "FullyQualifiedDomainName", "SearchString", "RequestInterval", "FailureThreshold",
           "MeasureLatency", "Inverted", "Disabled", "HealthThreshold", "EnableSNI", "InsufficientDataHealthStatus")
REGIONS = {"us-east-1": "15.177.2.1", "us-west-2": "15.177.6.1", "eu-west-1": "15.177.10.1"}


def text(value):
    return {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else str(value)


class HealthChecks:
    """Part of the handler of Route 53. store.checks: id to configuration, "version" beside it."""
    health_routes = (("GET", r"/healthcheck/?", "ListHealthChecks"),
                     ("GET", r"/healthcheck/([^/]+)", "GetHealthCheck"),
                     ("POST", r"/healthcheck/([^/]+)", "UpdateHealthCheck"),
                     ("GET", r"/healthcheck/([^/]+)/status", "GetHealthCheckStatus"))

    def check(self):
        found = self.server.store.checks.get(self.ids[0])
        if found is None:
            raise zone.Refused("NoSuchHealthCheck", ["No health check exists with the specified ID: " + self.ids[0]])
        return found

    def check_xml(self, id, check):
        config = "".join("<%s>%s</%s>" % (n, escape(text(check[n])), n) for n in MEMBERS if n in check)
        return ("<HealthCheck><Id>%s</Id><CallerReference>lab</CallerReference><HealthCheckConfig>%s</HealthCheckConfig>"
                "<HealthCheckVersion>%d</HealthCheckVersion></HealthCheck>" % (id, config, check["version"]))

    def do_ListHealthChecks(self, _):
        checks = "".join(self.check_xml(*c) for c in sorted(self.server.store.checks.items()))
        return self.xml('<ListHealthChecksResponse xmlns="%s"><HealthChecks>%s</HealthChecks><Marker></Marker><IsTruncated>false</IsTruncated>'
                        "<MaxItems>100</MaxItems></ListHealthChecksResponse>" % (NS, checks))

    def do_GetHealthCheck(self, _):
        return self.xml('<GetHealthCheckResponse xmlns="%s">%s</GetHealthCheckResponse>' % (NS, self.check_xml(self.ids[0], self.check())))

    def do_UpdateHealthCheck(self, _):
        root, check = xml.fromstring(self.body), self.check()
        if not root.tag.endswith("}UpdateHealthCheckRequest"):
            raise ValueError("expected UpdateHealthCheckRequest")
        new = {n.tag.rpartition("}")[2]: (n.text or "").strip() for n in root}
        if new.pop("HealthCheckVersion", str(check["version"])) != str(check["version"]):
            return self.refuse(409, "HealthCheckVersionMismatch", "The value of HealthCheckVersion in the request doesn't match the value in the health check.")
        unknown = [n for n in new if n not in MEMBERS or n in ("Type", "RequestInterval", "MeasureLatency")]
        if unknown:
            raise ValueError("'%s' cannot be updated" % unknown[0])
        with self.server.store.lock:
            check.update({n: v == "true" if v in ("true", "false") else v for n, v in new.items()}, version=check["version"] + 1)
        self.server.ledger.write("route53", "UpdateHealthCheck", request=self.request_id, body=self.body, object=self.ids[0], changed=new)
        return self.xml('<UpdateHealthCheckResponse xmlns="%s">%s</UpdateHealthCheckResponse>' % (NS, self.check_xml(self.ids[0], check)))

    def do_GetHealthCheckStatus(self, _):
        """What the checkers see of the endpoint: whether that is inverted is another matter."""
        self.check()
        status = "Success: HTTP Status Code 200, OK" if self.server.store.endpoint_up(self.ids[0]) else "Failure: HTTP Status Code 503, Service Unavailable"
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        seen = "".join("<HealthCheckObservation><Region>%s</Region><IPAddress>%s</IPAddress><StatusReport><Status>%s</Status><CheckedTime>%s</CheckedTime>"
                       "</StatusReport></HealthCheckObservation>" % (r, a, status, when) for r, a in REGIONS.items())
        return self.xml('<GetHealthCheckStatusResponse xmlns="%s"><HealthCheckObservations>%s</HealthCheckObservations></GetHealthCheckStatusResponse>' % (NS, seen))
