"""Fixtures: a cluster's PostgreSQL where one is needed."""

from tests.cluster_database import cluster_database, cluster_server

__all__ = ["cluster_database", "cluster_server"]
