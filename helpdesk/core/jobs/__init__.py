"""Work for later: the ledger of jobs, their runner, and the bridge to Huey."""
