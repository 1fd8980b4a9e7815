"""A second model that looks along and is compared, but never raises anything."""
