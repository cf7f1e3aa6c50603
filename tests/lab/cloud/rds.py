"""RDS: its parts together, and what they share."""
from cloud.globalclusters import GlobalClusters
from cloud.presigned import verify


class Rds(GlobalClusters):
    name = "rds"

    def presigned(self, operation, source):
        verify(self, self.p.get("PreSignedUrl"), operation, source)
