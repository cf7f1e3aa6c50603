"""The services that the lab plays by itself; the front hands everything else to moto."""
from cloud.rds import Rds
from cloud.sts import Sts

SERVICES = {kind.name: kind for kind in (Rds, Sts)}
