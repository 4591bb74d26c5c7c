"""The job type `corpus-replace-filter-attrs`: other attributes to filter by, without embedding anything again."""
