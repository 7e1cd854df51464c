"""Files of rows that are taken in: found out how they are written, read in a stream, stored in batches."""
