"""Certificate Manager: certificates, and how long they hold."""
import datetime
import uuid

from cloud.wire import Error
from cloud.world import Service, utcnow


class Acm(Service):
    name = "acm"

    def new_certificate(self, arn, *names, days=300, status="ISSUED"):
        self.table("certificate")[arn] = {
            "CertificateArn": arn, "DomainName": names[0], "SubjectAlternativeNames": list(names), "Status": status, "Type": "AMAZON_ISSUED", "Issuer": "Amazon",
            "NotBefore": utcnow() - datetime.timedelta(days=65), "NotAfter": utcnow() + datetime.timedelta(days=days), "KeyAlgorithm": "EC-prime256v1",
            "InUseBy": [], "RenewalEligibility": "ELIGIBLE"}

    def DescribeCertificate(self):
        found = self.table("certificate").get(self.p["CertificateArn"])
        if found is None:
            raise Error("ResourceNotFoundException", "Could not find certificate %s." % self.p["CertificateArn"])
        return {"Certificate": found}

    def RequestCertificate(self):
        arn = self.arn("certificate/" + str(uuid.uuid4()))
        self.new_certificate(arn, self.p["DomainName"], *self.p.get("SubjectAlternativeNames", ()), status="PENDING_VALIDATION")
        self.course(self.table("certificate")[arn], "Status", (60, "ISSUED"))
        self.note(object=arn)
        return {"CertificateArn": arn}

    def ListCertificates(self):
        things = [t for _, t in sorted(self.table("certificate").items()) if t["Status"] in self.p.get("CertificateStatuses", [t["Status"]])]
        page, token = self.page(things, "MaxItems", "NextToken", 1000)
        return {"CertificateSummaryList": page, "NextToken": token}
