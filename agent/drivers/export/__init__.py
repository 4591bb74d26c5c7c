"""The job type `export`: a dataset, a table or a knowledge base to CSV, JSON Lines or Parquet."""
