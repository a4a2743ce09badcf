"""A mailbox for one machine: takes every email by SMTP, delivers none, shows them on a web page.

It also misbehaves on demand, by recipient or by a switch, as real mail servers do: see `behaviour`.
Run it with `python -m deploy.local.mailbox`.
"""
