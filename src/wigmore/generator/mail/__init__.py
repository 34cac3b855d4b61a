"""Mailboxes and cards as mail programs write them."""
