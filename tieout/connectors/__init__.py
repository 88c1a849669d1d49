"""Connectors: the systems of books tieout reads from and posts to, behind `ports`."""
