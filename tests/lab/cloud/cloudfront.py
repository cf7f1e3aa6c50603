"""CloudFront: distributions that take their time to deploy, their aliases, and invalidations."""
import secrets

from cloud.wire import Error
from cloud.world import ACCOUNT, Service, utcnow

NOTHING = {"Quantity": 0}
BARE = {"DefaultRootObject": "", "PriceClass": "PriceClass_All", "HttpVersion": "http2", "IsIPV6Enabled": True, "WebACLId": "", "Staging": False}


class CloudFront(Service):
    """One table for all regions: CloudFront is one service in the world."""
    name = "cloudfront"

    def new_distribution(self, config, status="InProgress", id=None, domain=None):
        id = id or "E" + secrets.token_hex(7).upper()[:13]
        thing = {"Id": id, "ARN": "arn:aws:cloudfront::%s:distribution/%s" % (ACCOUNT, id), "Status": status, "LastModifiedTime": utcnow(),
                 "InProgressInvalidationBatches": 0, "DomainName": domain or "d%s.cloudfront.net" % secrets.token_hex(7), "ActiveTrustedSigners": {"Enabled": False, "Quantity": 0},
                 "ActiveTrustedKeyGroups": {"Enabled": False, "Quantity": 0}, "DistributionConfig": self.whole(config), "_etag": self.etag(), "_batches": {}}
        self.table("distribution", "")[id] = thing
        origins = config["Origins"].get("Items") or [{"DomainName": ""}]
        self.world.publish(thing["DomainName"], "cloudfront.net.", origins[0]["DomainName"])
        return thing

    @staticmethod
    def etag():
        return "E" + secrets.token_hex(6).upper()

    @staticmethod
    def whole(config):
        out = dict(BARE, Aliases=NOTHING, CacheBehaviors=NOTHING, CustomErrorResponses=NOTHING, OriginGroups=NOTHING,
                   ViewerCertificate={"CloudFrontDefaultCertificate": True, "MinimumProtocolVersion": "TLSv1"},
                   Restrictions={"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}}, Logging={"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""})
        out.update(config)
        return out

    def distribution(self, id=None):
        found = self.table("distribution", "").get(id or self.p["Id"])
        if found is None:
            raise Error("NoSuchDistribution", "The specified distribution does not exist.")
        return found

    def deploy(self, thing):
        thing["Status"], thing["LastModifiedTime"], thing["_etag"] = "InProgress", utcnow(), self.etag()
        self.course(thing, "Status", ("cloudfront.deploy", "Deployed"))

    def answer(self, thing):
        return {"Distribution": thing, "ETag": thing["_etag"], "Location": "https://cloudfront.amazonaws.com/2020-05-31/distribution/" + thing["Id"]}

    def GetDistribution(self):
        return self.answer(self.distribution())

    def GetDistributionConfig(self):
        thing = self.distribution()
        return {"DistributionConfig": thing["DistributionConfig"], "ETag": thing["_etag"]}

    def ListDistributions(self):
        things = [t for _, t in sorted(self.table("distribution", "").items())]
        start, most = self.p.get("Marker", ""), int(self.p.get("MaxItems") or 100)
        rest = [t for t in things if t["Id"] > start]
        page = [dict(t["DistributionConfig"], **t) for t in rest[:most]]
        more = len(rest) > most
        return {"DistributionList": {"Marker": start, "MaxItems": most, "IsTruncated": more, "Quantity": len(page), "Items": page or None,
                                     "NextMarker": page[-1]["Id"] if more else None}}

    def check(self, config, but=None):
        for name in ("Aliases", "Origins", "CacheBehaviors"):
            part = config.get(name) or NOTHING
            if part["Quantity"] != len(part.get("Items") or ()):
                raise Error("InconsistentQuantities", "The value of Quantity and the size of Items don't match.")
        origins = [o["Id"] for o in config["Origins"].get("Items") or ()]
        for behaviour in [config["DefaultCacheBehavior"]] + ((config.get("CacheBehaviors") or {}).get("Items") or []):
            if behaviour["TargetOriginId"] not in origins:
                raise Error("NoSuchOrigin", "One or more of your origins or origin groups do not exist.")
        for alias in (config.get("Aliases") or {}).get("Items") or ():
            other = self.has(alias)
            if other is not None and other is not but:
                raise Error("CNAMEAlreadyExists", "One or more of the CNAMEs you provided are already associated with a different resource.")

    def has(self, alias):
        """The distribution that an alias stands on, or None."""
        for thing in self.table("distribution", "").values():
            if alias in (thing["DistributionConfig"]["Aliases"].get("Items") or ()):
                return thing
        return None

    def CreateDistribution(self):
        config = self.p["DistributionConfig"]
        for thing in self.table("distribution", "").values():
            if thing["DistributionConfig"]["CallerReference"] == config["CallerReference"]:
                raise Error("DistributionAlreadyExists", "The caller reference that you are using to create a distribution is associated with another distribution. "
                            "Already exists: " + thing["Id"])
        self.check(config)
        thing = self.new_distribution(config)
        self.deploy(thing)
        self.note(object=thing["Id"], reference=config["CallerReference"], aliases=(config.get("Aliases") or {}).get("Items"))
        return self.answer(thing)

    def matched(self):
        """The distribution, if what the caller has read of it still holds."""
        thing, given = self.distribution(), self.p.get("IfMatch")
        if not given:
            raise Error("InvalidIfMatchVersion", "The If-Match version is missing or not valid for the resource.")
        if given != thing["_etag"]:
            raise Error("PreconditionFailed", "The request failed because it didn't meet the preconditions in one or more request-header fields.")
        return thing

    def UpdateDistribution(self):
        thing, config = self.matched(), self.p["DistributionConfig"]
        if config["CallerReference"] != thing["DistributionConfig"]["CallerReference"]:
            raise Error("IllegalUpdate", "The update contains modifications that are not allowed.")
        self.check(config, thing)
        thing["DistributionConfig"] = self.whole(config)
        self.deploy(thing)
        self.note(object=thing["Id"])
        return self.answer(thing)

    def DeleteDistribution(self):
        thing = self.matched()
        if thing["DistributionConfig"]["Enabled"] or thing["Status"] != "Deployed":
            raise Error("DistributionNotDisabled", "The distribution you are trying to delete has not been disabled.")
        self.table("distribution", "").pop(thing["Id"])
        self.note(object=thing["Id"])

    def AssociateAlias(self):
        thing, alias = self.distribution(self.p["TargetDistributionId"]), self.p["Alias"]
        other = self.has(alias)
        for one, keep in ((other, False), (thing, True)):
            if one is None:
                continue
            names = [n for n in one["DistributionConfig"]["Aliases"].get("Items") or () if n != alias] + ([alias] if keep else [])
            one["DistributionConfig"]["Aliases"] = {"Quantity": len(names), "Items": names or None}
            one["_etag"] = self.etag()
        self.note(object=thing["Id"], alias=alias, was=other["Id"] if other else None)

    def CreateInvalidation(self):
        thing, batch = self.distribution(self.p["DistributionId"]), self.p["InvalidationBatch"]
        for known in thing["_batches"].values():
            if known["InvalidationBatch"]["CallerReference"] == batch["CallerReference"]:
                if known["InvalidationBatch"] != batch:
                    raise Error("InvalidArgument", "Your request contains a caller reference that was used for a previous invalidation batch.")
                return self.repeat({"Invalidation": known, "Location": ""})
        new = {"Id": "I" + secrets.token_hex(7).upper()[:13], "Status": "InProgress", "CreateTime": utcnow(), "InvalidationBatch": batch}
        thing["_batches"][new["Id"]] = new
        thing["InProgressInvalidationBatches"] += 1

        def done(_):
            thing["InProgressInvalidationBatches"] -= 1
        self.course(new, "Status", ("cloudfront.invalidate", "Completed", done))
        self.note(object=thing["Id"], invalidation=new["Id"], paths=batch["Paths"].get("Items"), reference=batch["CallerReference"])
        return {"Invalidation": new, "Location": "https://cloudfront.amazonaws.com/2020-05-31/distribution/%s/invalidation/%s" % (thing["Id"], new["Id"])}

    def GetInvalidation(self):
        found = self.distribution(self.p["DistributionId"])["_batches"].get(self.p["Id"])
        if found is None:
            raise Error("NoSuchInvalidation", "The specified invalidation does not exist.")
        return {"Invalidation": found}

    def ListInvalidations(self):
        things = list(self.distribution(self.p["DistributionId"])["_batches"].values())[::-1]
        return {"InvalidationList": {"Marker": "", "MaxItems": 100, "IsTruncated": False, "Quantity": len(things), "Items": things or None}}
