"""What Temporal history remembers: names and frozen dataclasses. New fields get defaults."""
