"""Analysis of a release: the risk model and its accuracy, clusters, access to services, plans, invented worlds."""
