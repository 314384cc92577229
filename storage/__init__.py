"""SQLAlchemy models, repositories and migrations behind ports."""
