"""What the scripts are made of; docs/architecture.md has the map."""

__version__ = "2.1.0.dev0"
