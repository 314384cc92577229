"""The vendors' wire protocols on this machine, so that calls can be rehearsed with no account."""
