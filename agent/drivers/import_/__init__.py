"""The job type `import`: a CSV, JSON Lines or Parquet file into a table or a dataset."""
