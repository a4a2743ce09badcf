"""Notifications: decides which email an application gets and when it goes out, and keeps every email with its history.

Consumes `application.submitted|amended|withdrawn|decided`, `policy.activated`, `pause.changed`;
publishes `email.sent` and `email.failed`.
"""
