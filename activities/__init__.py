"""Everything that can fail: vendors, CRM, SQL; each one an idempotent Temporal activity."""
